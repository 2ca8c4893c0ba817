/** Whose row is checked by a reading of its own. */
import { expect, test } from 'vitest';
import type { KeyRecord } from '../../src/core/state.ts';
import { firstChecks } from '../../src/ledger/cross-checks.ts';
import { register } from '../../src/ledger/registry.ts';
import { hour, id, key, minute, monday } from '../core/story.ts';

const counters = { costMicroUsd: 0, tokens: 0, requests: 0 };

function recordOf(name: string, check: KeyRecord['check']): KeyRecord {
  const listing = { at: monday, serverAt: null, keys: [key(name)], secrets: new Map() };
  const [record] = register(new Map(), listing, [], () => null).live;
  if (record === undefined) throw new Error('it was listed');
  return { ...record, check };
}

test.each([
  ['is never read', null, 1, true],
  ['was in use when it was read', { at: monday - hour, counters, agreed: false }, 1, true],
  ['was in use when it was read just now', { at: monday - minute, counters, agreed: false }, 1, false],
  ['is proved', { at: monday - hour, counters, agreed: true }, 1, false],
  ['is never read and shares its name', null, 2, true],
  ['was read and shares its name', { at: monday - hour, counters, agreed: false }, 2, false],
])('a key that %s', (_what, check, sharers, isRead) => {
  const questions = firstChecks([recordOf('User 1', check)], new Map([['User 1', sharers]]), monday, 10);
  expect(questions.map((one) => one.kind === 'key' && one.id)).toEqual(isRead ? [id('User 1')] : []);
});
