/** What was used day by day, from samples in a real store. */
import { expect, test } from 'vitest';
import type { CaseAlert } from '../../src/core/alert.ts';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { KeyRecord, SampleRun } from '../../src/core/state.ts';
import { dailyUse } from '../../src/ledger/daily.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { caseAlert, spend } from '../alerts/build.ts';
import { day, file, hour, monday, policyOf } from '../core/story.ts';
import { keyId, keyRecord } from '../store/documents.ts';
import { runOf } from './building.ts';

const today = Date.parse('2026-11-23T00:00:00Z');
const old = today - 100 * day;
const requests = { ...spend, measure: 'requests' } as const;

const reached = '{ at: 100%, alert: ops }';
const { policies } = file(
  [
    policyOf('each', 'spend: { requests: 100, per: month }', reached),
    policyOf('teams', 'spend: { requests: 100, per: month, across: metadata.team }', reached),
    policyOf('whole', 'spend: { requests: 100, per: month, across: account }', reached),
    policyOf('models', "spend: { requests: 100, per: month, models: ['*-large'] }", reached),
  ].join('\n'),
);

function about(policy: string, subject: CaseAlert['subject'] = keySubject(1)): CaseAlert {
  return caseAlert({ policy, subject, figures: requests });
}

function keySubject(n: number): CaseAlert['subject'] {
  return { kind: 'key', id: keyId(n), name: 'x', originalName: 'x' };
}

function known(n: number, more: Partial<KeyRecord> = {}): KeyRecord {
  return keyRecord(n, { createdAt: old, ...more });
}

/** Seen every hour from the first day back on, having used so many more by each midnight. */
function history(key: KeyId | 'account', perDay: readonly number[], createdAt: EpochMs = old): SampleRun[] {
  let total = 1000;
  return perDay.flatMap((used, index) => {
    const midnight = today - (perDay.length - 1 - index) * day;
    const before = total;
    total += used;
    const until = index === perDay.length - 1 ? monday : midnight + day;
    return [
      runOf(key, before, [midnight - 2 * hour, midnight], createdAt),
      runOf(key, total, [midnight + 9 * hour, until - 5 * 60_000], createdAt),
    ];
  });
}

interface Given {
  readonly alert?: CaseAlert;
  readonly records?: readonly KeyRecord[];
  readonly policies?: readonly Policy[];
  readonly thinned?: boolean;
}

/** The last days' use, as many as `last`. */
async function used(samples: readonly SampleRun[], last: number, given: Given = {}): Promise<unknown> {
  await using store = await openSqlite(':memory:');
  await store.commit({ samples });
  if (given.thinned === true) await store.thin(monday, [], 0);
  const records = new Map((given.records ?? [known(1)]).map((record) => [record.id, record]));
  const from = { store, records, policies: given.policies ?? policies };
  const days = await dailyUse(given.alert ?? about('each'), monday, from);
  return days === null ? null : days.slice(-last).map((one) => one.used);
}

test('is the difference of what the counter came to at each midnight, the last day up to now', async () => {
  expect(await used(history(keyId(1), [3, 0, 7, 2]), 4)).toEqual([3, 0, 7, 2]);
});

test('has thirty days, each with its midnight', async () => {
  await using store = await openSqlite(':memory:');
  await store.commit({ samples: history(keyId(1), [1]) });
  const records = new Map([[keyId(1), known(1)]]);
  const days = await dailyUse(about('each'), monday, { store, records, policies });
  expect(days?.map(({ day: midnight }) => midnight)).toEqual(
    Array.from({ length: 30 }, (_, index) => today - (29 - index) * day),
  );
});

test('is the same after the ledger has thinned its samples', async () => {
  const samples = history(keyId(1), [3, 0, 7, 2, 11, 4]);
  const busy = samples.flatMap((run) => [
    runOf(keyId(1), run.counters.requests, [run.firstAt - hour, run.firstAt - hour + 1], old),
    run,
  ]);
  expect(await used(busy, 6, { thinned: true })).toEqual([3, 0, 7, 2, 11, 4]);
});

test('is not known where nobody looked about midnight, never zero', async () => {
  const samples = history(keyId(1), [3, 5, 7, 2, 4]);
  const midnight = today - 2 * day;
  const gap = samples.filter(({ lastAt }) => lastAt < midnight - 20 * hour || lastAt > midnight + 20 * hour);
  expect(await used(gap, 5)).toEqual([3, null, null, 2, 4]);
});

test('is not known before the key was first seen, and nothing before there was a key', async () => {
  expect(await used(history(keyId(1), [3, 7]), 4)).toEqual([null, null, 3, 7]);
  const createdAt = today - 2 * day + 6 * hour;
  const born = [
    runOf(keyId(1), 4, [today - 2 * day + 7 * hour, today - day], createdAt),
    runOf(keyId(1), 9, [today - day + 9 * hour, monday], createdAt),
  ];
  expect(await used(born, 4, { records: [known(1, { createdAt })] })).toEqual([0, 4, 5, 0]);
});

test('is not known where a counter fell, or may have counted somebody else’s use', async () => {
  const fell = history(keyId(1), [3, 7, 2]).map((run) =>
    run.firstAt > today ? runOf(keyId(1), 5, [run.firstAt, run.lastAt], old) : run,
  );
  expect(await used(fell, 3)).toEqual([3, 7, null]);
  const doubt = { from: today - day - 3 * hour, until: today - day };
  expect(await used(history(keyId(1), [3, 7, 2]), 3, { records: [known(1, { doubt })] })).toEqual([
    null,
    null,
    2,
  ]);
});

test('of another key that had the fingerprint before is not its own', async () => {
  expect(await used(history(keyId(1), [3, 7], old + 1), 2)).toBeNull();
});

test('stays as it was when the key is gone', async () => {
  const samples = history(keyId(1), [3, 7, 2]).filter(({ firstAt }) => firstAt < today - day);
  expect(await used(samples, 3, { records: [known(1, { goneAt: today - day })] })).toEqual([3, 0, 0]);
});

test('of a group is that of its keys together, and of nobody else', async () => {
  const metadata = (team: string) => ({ facts: { ...known(1).facts, metadata: { team } } });
  const records = [
    known(1, metadata('ml')),
    known(2, { ...metadata('ml'), goneAt: today - day }),
    known(3, metadata('web')),
  ];
  const samples = [
    ...history(keyId(1), [3, 7, 2]),
    ...history(keyId(2), [10, 20, 30]).filter(({ firstAt }) => firstAt < today - day),
    ...history(keyId(3), [100, 100, 100]),
  ];
  const alert = about('teams', { kind: 'group', group: 'metadata.team=ml' });
  expect(await used(samples, 3, { records, alert })).toEqual([13, 7, 2]);
});

test('of the account is its own total', async () => {
  const samples = [...history('account', [30, 40]), ...history(keyId(1), [1, 1])];
  const alert = about('whole', { kind: 'group', group: 'account' });
  expect(await used(samples, 2, { alert })).toEqual([30, 40]);
});

test.each<[string, Given]>([
  ['only some models count', { alert: about('models') }],
  ['the policy is gone', { alert: about('each'), policies: [] }],
  ['the key is not known', { alert: about('each', keySubject(9)) }],
  [
    'the group has too many keys',
    {
      alert: about('teams', { kind: 'group', group: 'metadata.team=ml' }),
      records: Array.from({ length: 51 }, (_, n) =>
        known(n + 1, { facts: { ...known(1).facts, metadata: { team: 'ml' } } }),
      ),
    },
  ],
  ['no day is known', { records: [known(1, { doubt: { from: 0, until: null } })] }],
])('there is nothing to draw when %s', async (_why, given) => {
  expect(await used(history(keyId(1), [3, 7]), 2, given)).toBeNull();
});
