/** What happened in how many seeds: a promise is only tested where something threatens it. */
import type { Stage } from './stage.ts';
import { dayMs, hourMs } from './units.ts';

export interface Coverage {
  /** In how many seeds each thing happened. */
  readonly counts: ReadonlyMap<string, number>;
  readonly seeds: number;
  readonly days: number;
  readonly passes: number;
}

export const noCoverage: Coverage = { counts: new Map(), seeds: 0, days: 0, passes: 0 };

export function coverageOf(stage: Stage): Coverage {
  const counts = new Map([...happenings(stage)].map((what) => [what, 1]));
  return { counts, seeds: 1, days: stage.endedAt / dayMs, passes: stage.passes };
}

export function mergeCoverage(one: Coverage, other: Coverage): Coverage {
  const counts = new Map(one.counts);
  for (const [what, count] of other.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  return {
    counts,
    seeds: one.seeds + other.seeds,
    days: one.days + other.days,
    passes: one.passes + other.passes,
  };
}

/** All of these are to happen in the seeds of the test. */
export const wanted: readonly string[] = [
  ...['deletion', 'rename', 'restore', 'rename by a person', 'creation by a person', 'deletion by a person'],
  ...[
    'notice',
    'step',
    'resolved',
    'cancelled',
    'vetoed',
    'failed',
    'held',
    'deleted',
    'system',
    'repeated step',
  ],
  ...[
    'invalid file',
    'new file',
    'full disk',
    'clock set',
    'state lost',
    'message not accepted',
    'answer of a receiver lost',
  ],
  ...[
    'held delete: mode',
    'held delete: protected',
    'held delete: limit',
    'held delete: unknown',
    'held delete: notice',
  ],
  ...[
    'held delete: silenced',
    'held delete: vetoed',
    'held delete: unconfirmed',
    'held rename: limit',
    'held restore: unknown',
  ],
  ...['a case by cost', 'a case by tokens', 'a case by requests', 'a case by expiry', 'a case by idle'],
  ...['a group by metadata', 'a group of all selected', 'a group of the account', 'a limit of max_tokens'],
  ...['a case of some models', 'a forecast', 'an owner heard', 'quiet hours', 'excepted in quiet hours'],
  ...['allow_domains', 'silence: alerts', 'silence: actions', 'silence: both'],
  ...['another time zone', 'a dry run of a policy', 'a key seemed another'],
  ...['change of a group', 'exit: in use', 'a second program took over', 'reload in a pass'],
  ...['change done', 'change cancelled', 'change unclear', 'change failed', 'stop', 'crash'],
];

function happenings(stage: Stage): Set<string> {
  const { chronicle, held, files } = stage;
  const found = new Set<string>([...held.keys(), ...ofPolicies(stage), ...ofReplicas(stage)]);
  const renamedTo = new Map<string, Set<string>>();
  for (const entry of chronicle.entries) {
    switch (entry.kind) {
      case 'changed':
        if (entry.n === null)
          found.add(
            { created: 'creation', renamed: 'rename', deleted: 'deletion' }[entry.what] + ' by a person',
          );
        else if (entry.what === 'deleted') found.add('deletion');
        else if (entry.what === 'renamed') {
          const names = renamedTo.get(entry.key) ?? new Set();
          found.add(names.has(entry.to ?? '') ? 'restore' : 'rename');
          renamedTo.set(entry.key, names.add(entry.from ?? ''));
        }
        break;
      case 'accepted':
        for (const { event, repeated } of entry.alerts) {
          found.add(event);
          if (repeated) found.add('repeated step');
        }
        if (!entry.heard) found.add('answer of a receiver lost');
        break;
      case 'not accepted':
        found.add('message not accepted');
        break;
      case 'file read':
        if (!entry.ok) found.add('invalid file');
        break;
      case 'file written':
        if (entry.version > 0 && files[entry.version]?.broken === undefined) found.add('new file');
        break;
      case 'ended':
        found.add(entry.how);
        if (entry.how === 'exit') found.add(`exit: ${entry.where}`);
        if (entry.how === 'crash') found.add(`crash ${entry.where}`);
        break;
      case 'disk failed':
        found.add('full disk');
        break;
      case 'clock set':
        if (entry.byMs !== 0) found.add('clock set');
        break;
      case 'state lost':
        found.add('state lost');
        break;
      case 'answered':
        if (typeof entry.status === 'string') found.add(`network ${entry.status}`);
        else if (entry.status >= 400) found.add(`status ${String(entry.status)}`);
        if (entry.isAltered) found.add('a key seemed another');
        break;
      case 'asked':
      case 'opened':
      case 'started':
      case 'pass':
        break;
      default:
        entry satisfies never;
    }
  }
  return found;
}

const groups = [
  ['metadata.', 'a group by metadata'],
  ['selected', 'a group of all selected'],
  ['account', 'a group of the account'],
] as const;

/** Which kinds of policies led to something, and what channels made of it. */
function* ofPolicies({ chronicle, files }: Stage): Generator<string> {
  for (const entry of chronicle.entries) {
    if (entry.kind !== 'accepted') continue;
    if (entry.channel === 'owner') yield 'an owner heard';
    for (const { figures, group, finding, key, policy, event, at } of entry.alerts) {
      if (figures === null) continue;
      yield `a case by ${figures.kind === 'spend' ? figures.measure : figures.kind}`;
      if (figures.kind === 'spend' && figures.basis === 'forecast') yield 'a forecast';
      for (const [start, what] of groups) if (group?.startsWith(start)) yield what;
      if (event === 'deleted' && key !== null && finding?.includes(key) === false) yield 'change of a group';
      for (const { policies, quiet } of files) {
        const rule = policies.find(({ name }) => name === policy)?.rule;
        if (rule?.kind === 'spend' && rule.limit === 'max_tokens') yield 'a limit of max_tokens';
        if (rule?.kind === 'spend' && rule.models !== null) yield 'a case of some models';
        if (quiet[entry.channel] === undefined) continue;
        // It waited for hours, or did not.
        if (entry.sentAt - at > hourMs) yield 'quiet hours';
        else if (event === 'notice' || event === 'deleted') yield 'excepted in quiet hours';
      }
    }
  }
  for (const { allowDomains, silences, timeZone, policies } of files) {
    if (timeZone !== 'UTC') yield 'another time zone';
    if (policies.some(({ mode }) => mode === 'dry-run')) yield 'a dry run of a policy';
    if (allowDomains !== null) yield 'allow_domains';
    for (const { suppress } of silences) yield `silence: ${suppress}`;
  }
}

/** Whether a second program had its turn, and a policy file was read while a pass went on. */
function* ofReplicas({ chronicle: { entries } }: Stage): Generator<string> {
  const standIns = new Set(
    entries.flatMap((one) => (one.kind === 'started' && one.program > 1 ? [one.run] : [])),
  );
  if (entries.some((one) => one.kind === 'opened' && standIns.has(one.run)))
    yield 'a second program took over';
  const passes = entries.filter(
    (one) =>
      one.kind === 'pass' || one.kind === 'started' || (one.kind === 'asked' && one.path === '/api/keys'),
  );
  for (const read of entries) {
    if (read.kind !== 'file read' || read.version === 0) continue;
    const before = passes.findLast(({ at }) => at < read.at);
    if (before?.kind === 'asked') yield 'reload in a pass';
  }
}

export function coverageText({ counts, seeds, days, passes }: Coverage): string {
  const width = Math.max(...[...counts.keys()].map(({ length }) => length));
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `${String(seeds)} seeds, ${days.toFixed(0)} simulated days, ${String(passes)} passes; in how many seeds there was:`,
    ...rows.map(([what, count]) => `  ${what.padEnd(width)} ${String(count).padStart(6)}`),
  ].join('\n');
}
