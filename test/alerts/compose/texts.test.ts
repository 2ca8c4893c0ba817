import { describe, expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { toText } from '../../../src/alerts/compose/text.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, day, hour, spend, systemAlert } from '../build.ts';

function text(alert: Alert, now = at, remark: string | null = null): string {
  return toText(compose([{ alert, remark }], { id: 'msg_1', now }));
}

const tokens = {
  ...spend,
  measure: 'tokens',
  level: { low: 1_100_000, high: 1_100_000 },
  limit: 1_200_000,
  percent: 91,
  period: 'lifetime',
  periodStart: null,
  periodEnd: null,
} as const;
const idle = { kind: 'idle', deadline: at - 14 * day, why: 'no requests in the last 60d' } as const;
const expiry = { kind: 'expiry', deadline: at + 14 * day, why: 'its own expires_at' } as const;
const reached = { kind: 'step', step: 1, of: 3, repeated: false } as const;
const notice = { kind: 'notice', step: 3, of: 3, noticeMs: day } as const;

const kinds: readonly (readonly [string, Alert])[] = [
  [
    'a spend step with a rename',
    caseAlert({
      next: [
        { kind: 'rename', to: 'OVER BUDGET User 7' },
        { kind: 'step', at: '120%', does: 'deletes it after 1 d of notice' },
      ],
    }),
  ],
  ['a repeated step', caseAlert({ event: { ...reached, repeated: true } })],
  [
    'a forecast',
    caseAlert({
      event: reached,
      figures: { ...spend, basis: 'forecast', level: { low: 26_000_000, high: 31_000_000 }, percent: 130 },
    }),
  ],
  ['tokens against the key’s own cap', caseAlert({ event: reached, figures: tokens })],
  [
    'a level without an upper bound',
    caseAlert({ event: reached, figures: { ...spend, level: { low: 18_200_000, high: null }, percent: 91 } }),
  ],
  [
    'a group',
    caseAlert({
      event: reached,
      subject: { kind: 'group', group: 'metadata.team=ml' },
      findingId: 'ml-team/metadata.team=ml/2026-11-01',
      policy: 'ml-team',
      description: null,
    }),
  ],
  [
    'the account',
    caseAlert({ event: reached, subject: { kind: 'group', group: 'account' }, policy: 'total' }),
  ],
  [
    'an expiry to come',
    caseAlert({
      event: reached,
      figures: expiry,
      next: [{ kind: 'step', at: 'the deadline', does: 'renames it' }],
    }),
  ],
  ['an expiry passed', caseAlert({ event: reached, figures: { ...expiry, deadline: at - 7 * day } })],
  ['an idle key', caseAlert({ event: reached, figures: idle })],
  [
    'what would be done in another mode',
    caseAlert({ figures: idle, next: [{ kind: 'would', change: 'delete', because: 'mode is alert' }] }),
  ],
  [
    'a notice',
    caseAlert({
      event: notice,
      subject: { kind: 'key', id: 'k_0123456789abcdef', name: 'OVER BUDGET User 7', originalName: 'User 7' },
    }),
  ],
  ['a notice to an idle key', caseAlert({ event: { ...notice, noticeMs: 7 * day }, figures: idle })],
  ['a notice without notice', caseAlert({ event: { ...notice, noticeMs: 0 } })],
  ['a deletion', caseAlert({ event: { kind: 'deleted', noticeAcceptedAt: at - day } })],
  ['a cancelled deletion', caseAlert({ event: { kind: 'cancelled', because: 'the key is protected' } })],
  ['a veto', caseAlert({ event: { kind: 'vetoed', by: 'a person renamed the key while its notice ran' } })],
  [
    'a deletion that a limit holds',
    caseAlert({
      event: {
        kind: 'held',
        announcedFor: at,
        because: '12 deletions are wanted; limits.delete.per_run: 3 holds all of them',
        notBefore: at + day,
      },
    }),
  ],
  [
    'one that it holds for good',
    caseAlert({ event: { kind: 'held', announcedFor: at, because: 'a limit', notBefore: null } }),
  ],
  [
    'a failed rename',
    caseAlert({ event: { kind: 'failed', change: 'rename', because: 'the API answered 409' } }),
  ],
  [
    'a failed restore',
    caseAlert({ event: { kind: 'failed', change: 'restore', because: 'the API answered 500.' } }),
  ],
  [
    'a failed deletion',
    caseAlert({ event: { kind: 'failed', change: 'delete', because: 'it is still listed' } }),
  ],
  [
    'uncertainty',
    caseAlert({
      event: { kind: 'uncertain', because: 'a counter fell' },
      figures: { ...spend, level: { low: 18_200_000, high: 21_400_000 }, percent: 91 },
    }),
  ],
  ['an end', caseAlert({ event: { kind: 'resolved', because: 'the limit was raised' } })],
  ['Keywarden itself', systemAlert()],
];

describe('what a message says', () => {
  test.each(kinds)('%s', (_name, alert) => {
    expect(text(alert)).toMatchSnapshot();
  });

  test('that it stands in for another channel', () => {
    const said = text(caseAlert(), at, 'could not be sent to owner: metadata.email is missing');
    expect(said).toContain('\nThis could not be sent to owner: metadata.email is missing.\n');
  });
});

describe('the time of a deletion', () => {
  test('counts from the sending, not from the decision', () => {
    const later = at + 5 * hour;
    expect(text(caseAlert({ event: notice }), later)).toContain('on Tue 24 Nov 2026, 15:00 CET, in 24 hours');
  });

  test('is never sooner than what is known', () => {
    const next = [{ kind: 'delete', noticeMs: day, dueAt: at + 3 * day }] as const;
    expect(text(caseAlert({ event: notice, next }))).toContain('on Thu 26 Nov 2026, 10:00 CET, in 3 days');
  });

  test('is told by what is left where another channel took the notice long ago', () => {
    const late = (hours: number): string =>
      toText(
        compose([{ alert: caseAlert({ event: notice }), remark: null, acceptedAt: at }], {
          id: 'msg_1',
          now: at + hours * hour,
        }),
      );
    expect(late(10)).toContain('“User 7” will be deleted in 14 hours\n');
    expect(late(10)).toContain('It will be deleted on Tue 24 Nov 2026, 10:00 CET, in 14 hours, unless');
    expect(late(30)).toContain('“User 7” will be deleted at the next check\n');
  });

  test('of a case told meanwhile is the one that stands', () => {
    const next = [{ kind: 'delete', noticeMs: day, dueAt: at + hour }] as const;
    expect(text(caseAlert({ next }))).toContain('on Mon 23 Nov 2026, 11:00 CET, in 1 hour');
  });
});

test('a key that pays for its group is not said to have used it all', () => {
  const shown = text(caseAlert({ event: notice, group: 'metadata.team=ml' }));
  expect(shown).toContain('Spent: $21.40 of $20.00 (107%)\n');
  expect(shown).toContain('Shared by: metadata.team=ml\n');
});

test('nothing is said of stopping what is not coming', () => {
  for (const [name, alert] of kinds.filter(
    ([, one]) =>
      one.topic === 'case' && one.next.length === 0 && !['notice', 'held'].includes(one.event.kind),
  )) {
    expect(text(alert), name).not.toContain('To stop');
  }
});

test('a message needs an alert', () => {
  expect(() => compose([], { id: 'msg_1', now: at })).toThrow(RangeError);
});
