/** What happened in how many seeds: a promise is only tested where something threatens it. */
import type { Stage } from './stage.ts';
import { dayMs } from './units.ts';

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
  ...['notice', 'step', 'resolved', 'cancelled', 'vetoed', 'failed', 'deleted', 'system', 'repeated step'],
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
  ...['change done', 'change cancelled', 'change unclear', 'change failed', 'stop', 'crash'],
];

function happenings({ chronicle, held, files }: Stage): Set<string> {
  const found = new Set<string>(held.keys());
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
        break;
      case 'asked':
      case 'started':
      case 'pass':
        break;
      default:
        entry satisfies never;
    }
  }
  return found;
}

export function coverageText({ counts, seeds, days, passes }: Coverage): string {
  const width = Math.max(...[...counts.keys()].map(({ length }) => length));
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `${String(seeds)} seeds, ${days.toFixed(0)} simulated days, ${String(passes)} passes; in how many seeds there was:`,
    ...rows.map(([what, count]) => `  ${what.padEnd(width)} ${String(count).padStart(6)}`),
  ].join('\n');
}
