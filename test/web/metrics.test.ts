/** The account's books as metrics: what is not known has no sample. */
import { expect, test } from 'vitest';
import type { Books } from '../../src/core/books.ts';
import { createMetrics } from '../../src/web/metrics.ts';
import { noBooks, policy, story } from '../core/story.ts';

const decision = story(policy('expiry: {}', '{ alert: ops }')).pass();
const known = <T>(value: T) => ({ known: true, value }) as const;
const books: Books = {
  ...noBooks,
  spent: known({ low: 12_345_678, high: 20e6 }),
  billed: known({ invoiced: 99e6, charged: -500_000, other: 1, pending: 1 }),
  rates: known({ lastDay: { tokensPerHour: 1234.5, requestsPerHour: 0 }, latest: null }),
};

test('are there while they are known', async () => {
  const metrics = createMetrics({
    outbox: () => Promise.resolve({ pending: 0, dead: 0, oldestAgeSeconds: 0 }),
    stateBytes: () => Promise.resolve(0),
  });
  const told = async (): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('keywarden_account_'));
  const pass = (now: Books): void =>
    metrics.passed({ decision, outcomes: [], keys: 0, contradictions: 0, books: now }, 1, 1);
  expect(await told()).toEqual([]);
  pass(books);
  expect(await told()).toEqual([
    'keywarden_account_spend_usd{bound="low"} 12.345678',
    'keywarden_account_spend_usd{bound="high"} 20',
    'keywarden_account_invoiced_usd 99',
    'keywarden_account_charged_usd -0.5',
    'keywarden_account_tokens_per_hour 1234.5',
    'keywarden_account_requests_per_hour 0',
  ]);
  pass({ ...noBooks, spent: known({ low: 5e6, high: null }) });
  expect(await told()).toEqual(['keywarden_account_spend_usd{bound="low"} 5']);
  pass(noBooks);
  expect(await told()).toEqual([]);
});
