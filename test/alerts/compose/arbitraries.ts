/** Alerts in which every text is whatever somebody may have written. */
import fc from 'fast-check';
import { at, caseAlert, day, hostileNames, spend, systemAlert } from '../build.ts';

/** Whatever the operators and strangers wrote, with all that may go wrong with it. */
export const anyWords = fc.oneof(
  fc.constantFrom(...Object.values(hostileNames)),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom('"', '\\', '&', '<', '😀', 'é', '\u200B', '👩‍💻', 'x\u0301\u0302\u0303'),
      fc.nat(3000),
    )
    .map(([unit, count]) => unit.repeat(count)),
);
const figures = fc.oneof(
  fc
    .record({ low: fc.nat(40_000_000), more: fc.option(fc.nat(40_000_000)), period: anyWords })
    .map(({ low, more, period }) => ({
      ...spend,
      level: { low, high: more === null ? null : low + more },
      percent: Math.floor(low / 200_000),
      period,
    })),
  fc.record({
    kind: fc.constantFrom('idle' as const, 'expiry' as const),
    deadline: fc.constant(at),
    why: anyWords,
  }),
);
const event = fc.oneof(
  fc.constant({ kind: 'step', step: 1, of: 3, repeated: false } as const),
  fc.constant({ kind: 'notice', step: 3, of: 3, noticeMs: day } as const),
  fc.constant({ kind: 'deleted', noticeAcceptedAt: at } as const),
  anyWords.map((by) => ({ kind: 'vetoed', by }) as const),
  anyWords.map((because) => ({ kind: 'failed', change: 'delete', because }) as const),
  anyWords.map((because) => ({ kind: 'uncertain', because }) as const),
);
const next = fc.tuple(
  fc.constant({ kind: 'delete', noticeMs: day, dueAt: at + day } as const),
  anyWords.map((to) => ({ kind: 'rename', to }) as const),
  anyWords.map((because) => ({ kind: 'would', change: 'delete', because }) as const),
  anyWords.map((does) => ({ kind: 'step', at: does, does }) as const),
);
export const anyCase = fc
  .record({ name: anyWords, original: anyWords, description: fc.option(anyWords), figures, event, next })
  .map(({ name, original, ...rest }) =>
    caseAlert({
      ...rest,
      subject: { kind: 'key', id: 'k_0123456789abcdef', name, originalName: original },
      findingId: `p/${name}`,
    }),
  );

export const anySystemAlert = fc
  .record({
    title: anyWords,
    text: anyWords,
    severity: fc.constantFrom('info' as const, 'warning' as const, 'critical' as const),
  })
  .map(systemAlert);
