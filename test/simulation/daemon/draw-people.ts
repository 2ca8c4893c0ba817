/** What people do: to keys, and to the policy file. */
import { hostileNames } from '../../../src/sandbox/hostile.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import { drawFile, noticesMs } from './draw-policies.ts';
import { drawKey } from './draw-keys.ts';
import type { Deed, KeyPlan } from './plan.ts';
import type { FileShape, PolicyShape } from './policies.ts';
import { epoch } from './setting.ts';
import { dayMs, hourMs } from './units.ts';

export interface Scene {
  readonly hot: readonly number[];
  readonly days: number;
  readonly keys: readonly KeyPlan[];
  readonly file: FileShape;
  readonly when: (chance: Random) => number;
}

export type Adding = (chance: Random) => (deed: Deed, at?: number) => void;

export function drawPeople(people: Random, adding: Adding, { hot, days, keys, file, when }: Scene): void {
  const add = adding(people);
  const some = (most: number): number => people.integer(0, most);
  const any = (): number => people.integer(0, keys.length - 1);
  for (const at of hot)
    // One key after another, some hours apart: a limit is for all of them.
    for (const later of [0, 4 * hourMs, 9 * hourMs])
      if (people.chance(0.5))
        add({ kind: 'spend', key: any(), usd: people.pick([0.9, 3, 11, 14]) }, at + later);
  for (let i = some(4); i > 0; i -= 1) {
    const to = people.chance(0.2)
      ? people.pick(hostileNames)
      : people.chance(0.4)
        ? people.pick(keys).name
        : `User ${String(people.integer(20, 40))}`;
    add({ kind: 'rename', key: people.integer(0, keys.length + 1), to });
  }
  const giver = people.fork('gives back');
  if (giver.chance(0.15)) giveBack(giver, adding(giver), { hot, keys });
  const pause = people.fork('interlude');
  if (pause.chance(0.12)) interlude(pause, adding(pause), { hot, file });
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'create', key: drawKey(people, keys.length + i, days) });
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'delete', key: any() });
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'spend', key: any(), usd: people.pick([0.5, 5, 20]) });
  for (const by of ['rename', 'use', 'shrunk list', 'cut', 'restart'] as const)
    if (people.chance(by === 'restart' ? 0.4 : 0.15)) add({ kind: 'ambush', by });
  if (people.chance(0.15)) add({ kind: 'ambush', by: 'reload', file: drawFile(people, days) });
  let files = file;
  for (const at of Array.from({ length: some(3) }, () => when(people)).sort((a, b) => a - b)) {
    const next = editFile(people, files, at, days);
    add({ kind: 'file', file: next }, at);
    if (next.broken === undefined) files = next;
    else add({ kind: 'file', file: files }, at + people.integer(1, 20) * hourMs);
  }
  const editor = people.fork('editor');
  for (const at of hot)
    if (editor.chance(0.15)) {
      const later = at + editor.pick([0.2, 1, 4, 14]) * hourMs;
      adding(editor)({ kind: 'file', file: amended(editor, file) }, later);
    }
}

/** For a while the file lets nothing be changed, and then it is as it was. */
function interlude(
  random: Random,
  add: ReturnType<Adding>,
  { hot, file }: Pick<Scene, 'hot' | 'file'>,
): void {
  const at = random.pick(hot) + random.pick([0.1, 0.6, 2, 6]) * hourMs;
  const until = at + random.pick([0.5, 1, 4]) * hourMs;
  const silence = {
    ...{ select: {}, suppress: 'actions' as const },
    until: new Date(epoch + until + dayMs).toISOString(),
  };
  const between = random.pick<Partial<FileShape>>([
    { mode: 'dry-run' },
    { mode: 'alert' },
    { protect: [{ name: '*' }] },
    { silences: [silence] },
  ]);
  add({ kind: 'file', file: { ...file, ...between } }, at);
  add({ kind: 'file', file }, until);
}

/** Somebody renames a key, and gives it its name back. */
function giveBack(random: Random, add: ReturnType<Adding>, { hot, keys }: Pick<Scene, 'hot' | 'keys'>): void {
  const key = random.integer(0, keys.length - 1);
  const at = random.pick(hot) + random.integer(1, 12) * hourMs;
  add({ kind: 'rename', key, to: `mine ${String(key)}` }, at);
  add({ kind: 'rename', key, to: keys[key]?.name ?? '' }, at + random.pick([1, 6, 14]) * hourMs);
}

/** The same policies, with something in one of them otherwise. */
function amended(random: Random, file: FileShape): FileShape {
  const place = random.integer(0, file.policies.length - 1);
  const policies = file.policies.map((one, index) => (index === place ? amendedPolicy(random, one) : one));
  return { ...file, policies };
}

function amendedPolicy(random: Random, policy: PolicyShape): PolicyShape {
  const { steps, rule } = policy;
  const [first, ...others] = steps;
  switch (
    random.pick([
      'notice',
      'notice',
      'notice',
      'first step',
      'no first step',
      'channels',
      'limit',
      'mode',
    ] as const)
  ) {
    case 'notice': {
      const deleteNoticeMs = random.pick(noticesMs);
      return {
        ...policy,
        steps: steps.map((step) => (step.deleteNoticeMs === undefined ? step : { ...step, deleteNoticeMs })),
      };
    }
    case 'first step': {
      const at = rule.kind === 'spend' ? 20 : -60;
      return rule.kind === 'idle' ? policy : { ...policy, steps: [{ at, alert: ['mail'] }, ...steps] };
    }
    case 'no first step':
      return others.length === 0 ? policy : { ...policy, steps: others };
    case 'channels':
      return first === undefined
        ? policy
        : {
            ...policy,
            steps: [...steps.slice(0, -1), { ...(steps.at(-1) ?? first), alert: ['mail', 'pager'] }],
          };
    case 'limit':
      return rule.kind !== 'spend' || rule.limit === 'max_tokens'
        ? policy
        : { ...policy, rule: { ...rule, limit: Math.round(rule.limit * random.pick([1, 2, 3])) } };
    case 'mode':
      return { ...policy, mode: random.pick(['dry-run', 'dry-run', 'alert'] as const) };
    default:
      return policy;
  }
}

function editFile(random: Random, file: FileShape, at: number, days: number): FileShape {
  const roll = random.next();
  if (roll < 0.15)
    return {
      ...file,
      broken: random.pick(['version: 1\npolicies: [', 'version: 2', 'policies: {}\nsurprise: 1']),
    };
  if (roll < 0.35) return { ...file, mode: random.pick(['dry-run', 'alert', 'enforce', 'enforce']) };
  if (roll < 0.5)
    return {
      ...file,
      silences: [
        {
          select: random.pick([{}, { name: 'User *' }]),
          until: new Date(epoch + at + random.integer(1, 40) * hourMs).toISOString(),
          suppress: random.pick(['alerts', 'actions', 'both'] as const),
        },
      ],
    };
  if (roll < 0.65)
    return { ...file, protect: random.pick([[], [{ name: 'User *' }], [{ metadata: { plan: 'free' } }]]) };
  if (roll < 0.72) {
    const { quiet, allowDomains } = drawFile(random, days);
    return { ...file, quiet, allowDomains };
  }
  if (roll < 0.84) return { ...file, limits: drawFile(random, days).limits };
  return { ...file, policies: drawFile(random, days).policies };
}
