import { expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { toText } from '../../../src/alerts/compose/text.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, day, named, spend, systemAlert } from '../build.ts';

function digest(alerts: readonly Alert[]): string {
  return toText(
    compose(
      alerts.map((alert) => ({ alert, remark: null })),
      { id: 'msg_1', now: at },
    ),
  );
}

function atPercent(percent: number, policy = 'spend'): Alert {
  return named(`At ${String(percent)}`, {
    id: `at-${String(percent)}`,
    policy,
    description: null,
    figures: { ...spend, percent },
  });
}

const notice = named('Doomed', {
  id: 'notice',
  policy: 'idle-keys',
  description: null,
  event: { kind: 'notice', step: 3, of: 3, noticeMs: day },
});
const renamed = named('Renamed', {
  id: 'rename',
  policy: 'spend',
  description: null,
  next: [{ kind: 'rename', to: 'X' }],
});

test('by policy, gravest first, then by percent', () => {
  const text = digest([
    atPercent(81),
    renamed,
    notice,
    atPercent(99),
    systemAlert({ severity: 'info', title: 'News' }),
  ]);
  const order = [
    '5 alerts: 1 to be deleted, 3 at a step, 1 about Keywarden itself',
    '== Policy idle-keys ==',
    '“Doomed” will',
    '== Policy spend, 3 alerts ==',
    '“Renamed” has',
    '“At 99” has',
    '“At 81” has',
    '== Keywarden itself ==',
    'News',
    'To stop the deletion',
    'To stop it from going further',
  ];
  const places = order.map((words) => text.indexOf(words));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBe(0);
});

test('the ten largest in full, the others in a line each', () => {
  const text = digest(Array.from({ length: 12 }, (_, index) => atPercent(100 + index)));
  expect(text.match(/^Spent: /gm)).toHaveLength(10);
  expect(text).toContain('- “At 101” has used 101% of its $20 budget (k_0123456789abcdef)\n- “At 100” has');
});

test('the order does not depend on the order of arrival', () => {
  const alerts = [notice, renamed, ...[80, 81, 82].map((percent) => atPercent(percent))];
  expect(digest(alerts.toReversed())).toBe(digest(alerts));
});

test('how many could not go where they should is said once', () => {
  const remark = 'could not be sent to owner: metadata.email is missing';
  const entries = [
    { alert: caseAlert(), remark },
    { alert: caseAlert({ id: 'b' }), remark },
    { alert: notice, remark: null },
  ];
  const text = toText(compose(entries, { id: 'msg_1', now: at }));
  expect(text).toContain('\n2 of these could not be sent to owner: metadata.email is missing.\n');
});

test('one alert about one case is its thread, several are none', () => {
  const of = (...alerts: Alert[]): string | null =>
    compose(
      alerts.map((alert) => ({ alert, remark: null })),
      { id: 'msg_1', now: at },
    ).thread;
  expect(of(notice)).toBe('free-tier-spend/k_0123456789abcdef/2026-11-01');
  expect(of(systemAlert())).toBeNull();
  expect(of(notice, renamed)).toBeNull();
});
