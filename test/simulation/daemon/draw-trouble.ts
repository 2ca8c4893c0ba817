/** What goes wrong: the account, the network, receivers, the disk, the clock, the program itself. */
import type { Random } from '../../../src/sandbox/random.ts';
import { channels } from './draw-policies.ts';
import type { Adding } from './draw-people.ts';
import { crashPoints } from './plan.ts';
import type { ReceiverTrouble } from './plan.ts';
import { dayMs, hourMs, minuteMs } from './units.ts';

export function drawTrouble(random: Random, add: ReturnType<Adding>, intervalMs: number): void {
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
        trouble: oddly(random, random.pick(['dead', 'refuses', 'slow', 'hangs', 'loses answers'] as const)),
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

function oddly(random: Random, trouble: ReceiverTrouble): ReceiverTrouble {
  return random.fork('format').chance(0.1) ? 'has no format' : trouble;
}
