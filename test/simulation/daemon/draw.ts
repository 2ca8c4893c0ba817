/** From a seed, a plan: who is in the account, what people want of it, and what goes wrong. */
import { hostileMetadata, hostileNames } from '../../../src/sandbox/hostile.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import type { Variants } from '../../../src/sandbox/variants.ts';
import { crashPoints } from './plan.ts';
import type { Act, Deed, KeyPlan, Plan } from './plan.ts';
import type { FileShape, PolicyShape, SelectorShape, StepShape } from './policies.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

/** As many passes, about, a seed may take: most of its time goes into them. */
const passesAtMost = 24;

export function drawPlan(seed: number): Plan {
  const random = createRandom(`daemon ${String(seed)}`);
  const fork = (label: string): Random => random.fork(label);
  const days = fork('days').pick([0.5, 1.5, 1.5, 3, 6, 14, 30]);
  const intervalMs = Math.max(3 * minuteMs, Math.round(((days + 0.5) * dayMs) / passesAtMost));
  const keys = drawKeys(fork('keys'), days);
  const file = drawFile(fork('file'), keys);
  const acts = drawActs(fork('acts'), { days, intervalMs, keys, file });
  return { seed, days, intervalMs, variants: drawVariants(fork('variants')), keys, file, acts };
}

function drawVariants(random: Random): Partial<Variants> {
  const some = <T>(usual: T, ...others: readonly T[]): T =>
    random.chance(0.6) ? usual : random.pick(others);
  return {
    renameHistory: some('follows', 'splits', 'stays'),
    sharedNames: some('merged', 'last-wins'),
    deletedInAggregate: some('listed', 'gone'),
    deleteMissing: some<404 | 200>(404, 200),
    noUsageRows: some('absent', 'zeros'),
    freshness: random.chance(0.8) ? 'immediate' : { lateMs: random.integer(1, 100) * 1000 },
    listOrder: some('created', 'shuffled'),
    errorBody: some('message', 'error'),
    extras: random.chance(0.3),
    absent: some('omitted', 'null'),
    timeOffset: some('Z', '+02:00'),
    dateSkewMs: some(0, random.integer(-60, 60) * 1000),
    rateLimit: random.chance(0.9)
      ? 'none'
      : { perMinute: random.pick([6, 20]), retryAfter: random.pick(['seconds', 'date', 'none']) },
  };
}

function drawKeys(random: Random, days: number): KeyPlan[] {
  const many = random.integer(3, 10);
  return Array.from({ length: many }, (_, index) => drawKey(random, index, days));
}

function drawKey(random: Random, index: number, days: number): KeyPlan {
  const hostile = random.chance(0.12);
  const usdPerDay = random.pick([0, 0.3, 1, 1, 4, 12]);
  return {
    name: hostile
      ? random.pick(hostileNames)
      : `${random.pick(['User', 'User', 'User', 'svc', 'Production'])} ${String(random.chance(0.08) ? 1 : index)}`,
    metadata: random.chance(0.1)
      ? random.pick(hostileMetadata)
      : {
          plan: random.pick(['free', 'free', 'pro']),
          email: `user${String(index)}@example.com`,
          ...(random.chance(0.1) ? { critical: 'true' } : {}),
        },
    ageDays: random.integer(1, 80),
    usdPerDay,
    momentsPerDay: random.pick([2, 6]),
    ...(random.chance(0.3) ? { expiresInDays: random.integer(-3, days) } : {}),
    ...(random.chance(0.4) ? { idleFromDay: random.integer(-60, 1) } : {}),
    ...(random.chance(0.04) ? { isAdmin: true } : {}),
  };
}

const channels = ['ops', 'second', 'mail', 'owner', 'pager'];
const noticesMs = [0, 30 * minuteMs, 3 * hourMs, 12 * hourMs, 26 * hourMs];

export function drawFile(random: Random, _keys: readonly KeyPlan[]): FileShape {
  const generous = random.chance(0.5);
  const many = random.integer(1, 3);
  return {
    mode: random.pick(['enforce', 'enforce', 'enforce', 'enforce', 'alert', 'dry-run']),
    channels,
    protect: [
      ...(random.chance(0.7) ? [{ name: 'Production *' }] : []),
      ...(random.chance(0.5) ? [{ metadata: { critical: 'true' } }] : []),
    ],
    limits: {
      delete: generous
        ? { perRun: 5, perDay: 10, percent: 100 }
        : {
            perRun: random.integer(0, 2),
            perDay: random.integer(1, 3),
            percent: random.pick([10, 40, null]),
          },
      rename: generous
        ? { perRun: 50, perDay: 200, percent: null }
        : { perRun: random.integer(1, 4), perDay: random.integer(1, 6), percent: null },
    },
    policies: Array.from({ length: many }, (_, index) => drawPolicy(random, `p${String(index)}`)),
    silences: [],
  };
}

function drawPolicy(random: Random, name: string): PolicyShape {
  const select: SelectorShape = random.pick([{}, {}, { name: 'User *' }, { metadata: { plan: 'free' } }]);
  const alert = (): string[] => random.shuffle(channels).slice(0, random.integer(1, 3));
  const rule = random.pick(['spend', 'spend', 'expiry', 'idle'] as const);
  const change = (kind: 'rename' | 'delete' | 'none'): Partial<StepShape> =>
    kind === 'rename'
      ? {
          renamePrefix: random.pick(['OVER', 'IDLE', 'EXPIRED']),
          ...(random.chance(0.2) ? { restore: false } : {}),
        }
      : kind === 'delete'
        ? { deleteNoticeMs: random.pick(noticesMs) }
        : {};
  const ats =
    rule === 'spend' ? [50, 80, 100, 130] : rule === 'expiry' ? [-48, -2, 0, 5, 24] : [0, 3, 24, 60];
  const count = random.integer(1, 3);
  const chosen = random
    .shuffle(ats)
    .slice(0, count)
    .sort((a, b) => a - b);
  const steps = chosen.map((at, index): StepShape => {
    const kinds =
      index === chosen.length - 1
        ? (['delete', 'delete', 'rename', 'none'] as const)
        : (['none', 'rename', 'rename'] as const);
    const kind = random.pick(kinds);
    return {
      at,
      alert: alert(),
      ...change(kind),
      ...(kind === 'none' && random.chance(0.2) ? { repeatMs: random.integer(4, 30) * hourMs } : {}),
    };
  });
  return {
    name,
    select,
    ...(random.chance(0.1) ? { mode: 'alert' as const } : {}),
    rule:
      rule === 'spend'
        ? {
            kind: 'spend',
            usd: random.pick([1, 3, 10]),
            per: random.pick(['day', 'month', '24h', '7d', 'lifetime'] as const),
          }
        : rule === 'expiry'
          ? { kind: 'expiry', ...(random.chance(0.5) ? { maxAgeDays: random.integer(10, 80) } : {}) }
          : { kind: 'idle', forDays: random.pick([1, 7, 20, 45]) },
    steps,
  };
}

/**
 * Most of what happens does so around a few instants, at which keys pass their thresholds: where nothing goes on,
 * nothing can go wrong.
 */
function drawActs(
  random: Random,
  { days, intervalMs, keys, file }: Pick<Plan, 'days' | 'intervalMs' | 'keys' | 'file'>,
): Act[] {
  const acts: Act[] = [];
  const total = days * dayMs;
  const hot = Array.from({ length: random.integer(1, 3) }, () => Math.round(random.next() * 0.8 * total));
  const spread = Math.min(total / 4, random.pick([hourMs, 6 * hourMs, 30 * hourMs]));
  const when = (chance: Random): number =>
    chance.chance(0.07)
      ? 0
      : chance.chance(0.7)
        ? chance.pick(hot) + Math.round(chance.next() * spread)
        : Math.round(chance.next() * total);
  const adding =
    (chance: Random) =>
    (deed: Deed, at = when(chance)): void =>
      void acts.push({ ...deed, atMs: Math.min(at, total) });
  drawPeople(random.fork('people'), adding, { hot, days, keys, file, when });
  const trouble = random.fork('trouble');
  const times = trouble.chance(0.2) ? 0 : trouble.integer(1, 7);
  for (let i = 0; i < times; i += 1) drawTrouble(trouble, adding(trouble), intervalMs);
  if (trouble.chance(0.12)) {
    const field = trouble.pick(['cost', 'total_requests', 'requests']);
    const fault = { kind: 'missing-field', field } as const;
    const at = trouble.chance(0.5) ? 0 : when(trouble);
    adding(trouble)({ kind: 'fault', endpoint: 'any', chance: 1, forMs: 3 * intervalMs, fault }, at);
  }
  return acts.sort((a, b) => a.atMs - b.atMs);
}

interface Scene {
  readonly hot: readonly number[];
  readonly days: number;
  readonly keys: readonly KeyPlan[];
  readonly file: FileShape;
  readonly when: (chance: Random) => number;
}

type Adding = (chance: Random) => (deed: Deed, at?: number) => void;

function drawPeople(people: Random, adding: Adding, { hot, days, keys, file, when }: Scene): void {
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
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'create', key: drawKey(people, keys.length + i, days) });
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'delete', key: any() });
  for (let i = some(2); i > 0; i -= 1) add({ kind: 'spend', key: any(), usd: people.pick([0.5, 5, 20]) });
  for (const by of ['rename', 'use', 'shrunk list', 'cut', 'restart'] as const)
    if (people.chance(by === 'restart' ? 0.4 : 0.15)) add({ kind: 'ambush', by });
  let files = file;
  for (const at of Array.from({ length: some(3) }, () => when(people)).sort((a, b) => a - b)) {
    const next = editFile(people, files, keys, at);
    add({ kind: 'file', file: next }, at);
    if (next.broken === undefined) files = next;
    else add({ kind: 'file', file: files }, at + people.integer(1, 20) * hourMs);
  }
}

function editFile(random: Random, file: FileShape, keys: readonly KeyPlan[], at: number): FileShape {
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
          until: new Date(
            Date.parse('2026-09-20T07:31:00Z') + at + random.integer(1, 40) * hourMs,
          ).toISOString(),
          suppress: random.pick(['alerts', 'actions', 'both'] as const),
        },
      ],
    };
  if (roll < 0.65)
    return { ...file, protect: random.pick([[], [{ name: 'User *' }], [{ metadata: { plan: 'free' } }]]) };
  if (roll < 0.8) return { ...file, limits: drawFile(random, keys).limits };
  return { ...file, policies: drawFile(random, keys).policies };
}

function drawTrouble(random: Random, add: (deed: Deed, at?: number) => void, intervalMs: number): void {
  // Within one pass, or over several.
  const forMs = Math.min(20 * hourMs, Math.round(intervalMs * random.pick([0.3, 1.5, 3, 8])));
  const chance = random.pick([0.1, 0.4, 1]);
  const kind = random.pick([
    'fault',
    'fault',
    'network',
    'network',
    'receiver',
    'receiver',
    'disk',
    'crash',
    'crash',
    'crash',
    'stop',
    'clock',
  ] as const);
  switch (kind) {
    case 'fault':
      return add({
        kind: 'fault',
        endpoint: random.pick(['any', 'list', 'usage', 'key-usage', 'rename', 'delete'] as const),
        chance,
        forMs,
        fault: random.pick([
          { kind: 'status', status: 500 },
          { kind: 'status', status: 503, after: true },
          { kind: 'status', status: 429, retryAfter: '7' },
          { kind: 'status', status: 404 },
          { kind: 'status', status: 401 },
          { kind: 'cut', when: 'before' },
          { kind: 'cut', when: 'after' },
          { kind: 'cut', when: 'mid-body' },
          { kind: 'malformed' },
          { kind: 'truncated' },
          { kind: 'html' },
          { kind: 'empty' },
          { kind: 'empty-list' },
          { kind: 'shrunk-list', keep: 0.5 },
          { kind: 'shrunk-list', keep: 0.9 },
          { kind: 'missing-field', field: random.pick(['cost', 'created_at', 'name', 'requests', 'keys']) },
          {
            kind: 'set-field',
            field: random.pick(['cost', 'total_requests', 'is_admin', 'name', 'created_at']),
            value: random.pick([0, -1, 'x', null]),
          },
        ]),
      });
    case 'network':
      return add({
        kind: 'network',
        endpoint: random.pick([
          'any',
          'reads',
          'writes',
          'writes',
          'list',
          'usage',
          'key-usage',
          'delete',
          'rename',
        ] as const),
        trouble: random.pick([
          'refused',
          'reset before',
          'reset after',
          'reset after',
          'hang',
          'slow',
          'stale',
        ] as const),
        chance,
        forMs,
      });
    case 'receiver':
      return add({
        kind: 'receiver',
        channel: random.pick(channels),
        trouble: random.pick(['dead', 'refuses', 'slow', 'hangs', 'loses answers'] as const),
        forMs,
      });
    case 'disk':
      return add({ kind: 'disk full', forMs });
    case 'crash': {
      const onlyChanges = random.chance(0.5);
      const point = random.pick(
        onlyChanges
          ? ([
              'before request',
              'before effect',
              'after effect',
              'after answer',
              'before write',
              'after write',
            ] as const)
          : crashPoints,
      );
      return add({
        kind: 'crash',
        point,
        nth: random.integer(1, onlyChanges ? 3 : 30),
        onlyChanges,
        downMs: random.pick([1000, minuteMs, 5 * hourMs]),
      });
    }
    case 'stop':
      if (random.chance(0.15)) {
        add({ kind: 'stop', downMs: hourMs }, 12 * hourMs);
        return add({ kind: 'lose state' }, 12.5 * hourMs);
      }
      return add({ kind: 'stop', downMs: random.pick([1000, hourMs, 30 * hourMs]) });
    case 'clock':
      return add({
        kind: 'clock',
        byMs: random.pick([-3 * dayMs, -2 * hourMs, -90_000, 90_000, hourMs, 40 * dayMs]),
      });
    default:
      kind satisfies never;
  }
}
