import { expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import type { Meter } from '../../../src/alerts/compose/message.ts';
import type { Alert, Level } from '../../../src/core/alert.ts';
import { at, caseAlert, spend, systemAlert } from '../build.ts';

function meters(...alerts: readonly Alert[]): (Meter | null)[] {
  const { parts } = compose(
    alerts.map((alert) => ({ alert, remark: null })),
    { id: 'msg_1', now: at },
  );
  return parts.flatMap((part) => (part.kind === 'case' ? [part.meter] : []));
}

test.each<[Level, Meter]>([
  [
    { low: 5_000_000, high: 5_000_000 },
    { lowShare: 0.25, highShare: 0.25 },
  ],
  [
    { low: 18_000_000, high: 22_000_000 },
    { lowShare: 0.9, highShare: 1.1 },
  ],
  [
    { low: 18_000_000, high: null },
    { lowShare: 0.9, highShare: null },
  ],
])('a spend case has its level as a share of the limit: %o', (level, meter) => {
  expect(meters(caseAlert({ figures: { ...spend, level } }))).toEqual([meter]);
});

test('the others have none', () => {
  const idle = caseAlert({ id: 'two', figures: { kind: 'idle', deadline: at, why: 'unused' } });
  expect(meters(caseAlert({ figures: idle.figures }))).toEqual([null]);
  expect(meters(systemAlert(), idle)).toEqual([null, null]);
});
