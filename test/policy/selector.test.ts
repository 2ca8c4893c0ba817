import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Key } from '../../src/core/key.ts';
import type { Selectable } from '../../src/core/policy.ts';
import { allOf, anyOf, guards, not, selects, type Judge, type Truth } from '../../src/policy/selector.ts';
import { now, valid } from './loading.ts';

const day = 86_400_000;

function subject(metadata: Record<string, unknown>, facts: Partial<Key> = {}): Selectable {
  const key: Key = {
    id: 'k_0123456789abcdef',
    createdAt: now - 40 * day,
    name: 'IDLE User 12',
    metadata: Object.assign(Object.create(null) as object, metadata),
    expiresAt: null,
    maxTokens: null,
    chat: false,
    isAdmin: false,
    lastUsedAt: null,
    ...facts,
  };
  return { key, originalName: 'User 12' };
}

/** Whether a policy with this selector selects, and a protection with it protects. */
function judged(selector: string, who: Selectable): { selected: boolean; protected: boolean } {
  const file = valid(`version: 1
protect: [${selector}]
channels: { ops: { slack: { webhook_url: "\${SLACK}" } } }
policies: [{ name: p, select: ${selector}, expiry: {}, steps: [{ alert: ops }] }]
`);
  const [policy, protection] = [file.policies[0], file.protect[0]];
  if (policy === undefined || protection === undefined) throw new Error('nothing was compiled');
  return { selected: policy.select(who, now), protected: protection(who, now) };
}

const yes = { selected: true, protected: true };
const no = { selected: false, protected: false };
const unknown = { selected: false, protected: true };

describe('what can be judged', () => {
  const user = subject({ plan: 'free', seats: 3, ratio: 1, beta: true, empty: '' });
  it.each([
    ['all', yes],
    ['{ name: "User *" }', yes],
    ['{ name: User 12 }', yes],
    ['{ name: "IDLE *" }', no],
    ['{ name: "user *" }', no],
    ['{ name: ["svc-*", "User ??"] }', yes],
    ['{ metadata: { plan: free } }', yes],
    ['{ metadata: { plan: pro } }', no],
    ['{ metadata: { plan: [pro, fr*] } }', yes],
    ['{ metadata: { plan: "*" } }', yes],
    ['{ metadata: { empty: "*" } }', yes],
    ['{ metadata: { empty: "" } }', yes],
    ['{ metadata: { keep: "*" } }', no],
    ['{ metadata: { keep: "" } }', no],
    ['{ not: { metadata: { keep: "*" } } }', yes],
    ['{ not: { metadata: { keep: x } } }', yes],
    ['{ metadata: { seats: 3 } }', yes],
    ['{ metadata: { seats: "3" } }', yes],
    ['{ metadata: { seats: 3.0 } }', yes],
    ['{ metadata: { ratio: 1.0 } }', yes],
    ['{ metadata: { beta: true } }', yes],
    ['{ metadata: { beta: "true" } }', yes],
    ['{ metadata: { beta: True } }', yes],
    ['{ metadata: { beta: false } }', no],
    ['{ metadata: { constructor: "*" } }', no],
    ['{ metadata: { __proto__: "*" } }', no],
    ['{ metadata: { plan: free, seats: 4 } }', no],
    ['{ name: "User *", metadata: { plan: free } }', yes],
    ['{ name: "svc-*", metadata: { plan: free } }', no],
    ['{ expires: false }', yes],
    ['{ expires: true }', no],
    ['{ token_limit: false, chat: false }', yes],
    ['{ token_limit: true }', no],
    ['{ chat: true }', no],
    ['{ older_than: 39d }', yes],
    ['{ older_than: 40d }', no],
    ['{ not: { name: "User *" } }', no],
    ['{ not: { not: { name: "User *" } } }', yes],
    ['{ not: [{ name: "svc-*" }, { chat: true }] }', yes],
    ['{ not: [{ name: "svc-*" }, { name: "User *" }] }', no],
  ])('%s', (selector, verdict) => {
    expect(judged(selector, user)).toEqual(verdict);
  });

  it('with the opposite facts', () => {
    const other = subject({}, { expiresAt: now, maxTokens: 0, chat: true });
    expect(judged('{ expires: true, token_limit: true, chat: true }', other)).toEqual(yes);
    for (const fact of ['expires', 'token_limit', 'chat'])
      expect(judged(`{ ${fact}: false }`, other)).toEqual(no);
    const expiring = subject({}, { expiresAt: now });
    expect(judged('{ expires: true, token_limit: false }', expiring)).toEqual(yes);
  });

  it('with metadata called like what objects inherit', () => {
    const metadata = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, unknown>;
    const odd = subject({});
    const own = { ...odd, key: { ...odd.key, metadata } };
    expect(judged('{ metadata: { __proto__: x, constructor: y } }', own)).toEqual(yes);
    const inherited = { ...odd, key: { ...odd.key, metadata: {} } };
    expect(judged('{ metadata: { constructor: "*" } }', inherited)).toEqual(no);
  });
});

it.each<[string, Record<string, unknown>, boolean]>([
  ['{ metadata: { version: 1.0 } }', { version: '1.0' }, true],
  ['{ metadata: { version: 1.0 } }', { version: 1 }, true],
  ['{ metadata: { version: "1.0" } }', { version: 1 }, false],
  ['{ metadata: { plan: "${PLAN}" } }', { plan: 'https://x.example/PLAN' }, true],
  ['{ metadata: { plan: "${PLAN}" } }', { plan: '${PLAN}' }, false],
])('%s of %j: as it is written and as it is meant', (selector, metadata, selected) => {
  expect(judged(selector, subject(metadata)).selected).toBe(selected);
});

it.each([
  ['all', []],
  ['{ name: x }', []],
  ['{ older_than: 39d }', [39]],
  ['[{ older_than: 1d }, { older_than: 2d }]', [1, 2]],
  ['{ older_than: 1d, not: { older_than: 2d } }', [1, 2]],
  ['{ not: [{ older_than: 3d }, { not: { older_than: 4d } }] }', [3, 4]],
])('the ages in %s are %j days', (selector, days) => {
  const text = `version: 1
protect: []
channels: { ops: { slack: { webhook_url: "\${SLACK}" } } }
policies: [{ name: p, select: ${selector}, expiry: {}, steps: [{ alert: ops }] }]
`;
  expect(valid(text).policies[0]?.ages).toEqual(days.map((one) => one * day));
});

describe('what cannot be judged neither selects nor goes unprotected', () => {
  it.each([
    ['{ metadata: { plan: free } }', { plan: ['free'] }],
    ['{ metadata: { plan: free } }', { plan: { is: 'free' } }],
    ['{ metadata: { plan: free } }', { plan: null }],
    ['{ metadata: { plan: "*" } }', { plan: null }],
    ['{ not: { metadata: { plan: free } } }', { plan: ['free'] }],
    ['{ not: { metadata: { plan: "*" } } }', { plan: null }],
    ['{ not: { not: { metadata: { plan: free } } } }', { plan: ['free'] }],
    ['{ not: [{ name: "svc-*" }, { metadata: { plan: free } }] }', { plan: ['free'] }],
    ['{ name: "User *", metadata: { plan: free } }', { plan: ['free'] }],
  ])('%s of %j', (selector, metadata) => {
    expect(judged(selector, subject(metadata))).toEqual(unknown);
  });

  it('but one plain answer is enough', () => {
    const odd = subject({ plan: ['free'] });
    expect(judged('{ name: "svc-*", metadata: { plan: free } }', odd)).toEqual(no);
    expect(judged('{ not: { name: "svc-*", metadata: { plan: free } } }', odd)).toEqual(yes);
    expect(judged('{ not: [{ name: "User *" }, { metadata: { plan: free } }] }', odd)).toEqual(no);
    expect(judged('{ metadata: { plan: "*" } }', odd)).toEqual(yes);
  });
});

describe('silences', () => {
  const silenceOf = (suppress: string) =>
    valid(`version: 1
policies: []
silences: [{ select: { metadata: { team: ml } }, until: 2026-12-01T00:00:00Z${suppress} }]
`).silences[0];
  const odd = subject({ team: ['ml'] });

  it('hold actions back where they cannot be judged', () => {
    expect(silenceOf('')?.select(odd, now)).toBe(true);
    expect(silenceOf(', suppress: actions')?.select(odd, now)).toBe(true);
  });

  it('let alerts through where they cannot be judged', () => {
    expect(silenceOf(', suppress: [alerts]')?.select(odd, now)).toBe(false);
  });
});

describe('three values', () => {
  const truth = fc.constantFrom<Truth>('yes', 'no', 'unknown');
  const always =
    (value: Truth): Judge =>
    () =>
      value;
  const who = subject({});

  it('resolving an unknown never turns a verdict of selection or non-protection around', () => {
    fc.assert(
      fc.property(
        fc.array(truth, { minLength: 1, maxLength: 5 }),
        fc.array(fc.boolean()),
        fc.boolean(),
        (truths, later, negate) => {
          const shape = (values: readonly Truth[]): Judge => {
            const half = Math.ceil(values.length / 2);
            const judge = allOf([
              anyOf(values.slice(0, half).map(always)),
              ...values.slice(half).map((v) => not(always(v))),
            ]);
            return negate ? not(judge) : judge;
          };
          const resolved = truths.map((value, i) =>
            value !== 'unknown' ? value : later[i] === true ? 'yes' : 'no',
          );
          const [before, after] = [shape(truths), shape(resolved)];
          if (selects(before)(who, now)) expect(selects(after)(who, now)).toBe(true);
          if (!guards(before)(who, now)) expect(guards(after)(who, now)).toBe(false);
        },
      ),
    );
  });
});
