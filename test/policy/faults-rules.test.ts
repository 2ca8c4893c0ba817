import { around, expectFaults } from './loading.ts';

const one = (rest: string) => around(`  - { name: p, select: all, ${rest} }`);
const alerting = 'steps: [{ at: 80%, alert: ops }]';
const selecting = (select: string) =>
  around(`  - { name: p, select: ${select}, expiry: {}, steps: [{ alert: ops }] }`);

expectFaults({
  selectors: [
    ['unknown word', selecting('▸every'), '`select` must be `all` or fields such as { name: "User *" }'],
    [
      'empty',
      selecting('▸{}'),
      '`select` must have at least one field, such as name or metadata; every key is written `all`',
    ],
    ['unknown field', selecting('{ ▸nmae: x }'), 'unknown field `nmae`'],
    [
      'a number as a name',
      selecting('{ name: ▸7 }'),
      '`name` must be text; put it in quotes if it looks like a number',
    ],
    [
      'no metadata',
      selecting('{ metadata: ▸{} }'),
      '`metadata` must name at least one metadata value, as in { plan: free }',
    ],
    [
      'metadata of null',
      selecting('{ metadata: { ▸plan: } }'),
      '`plan` is empty; it must be text, a number, true or false (or a list of these)',
    ],
    ['an empty list', selecting('{ metadata: { plan: ▸[] } }'), '`plan` must not be an empty list'],
    ['under not', selecting('{ not: { not: { expires: ▸maybe } } }'), '`expires` must be true or false'],
    ['in a list', selecting('[{ chat: true }, { ▸chats: true }]'), 'unknown field `chats`'],
    [
      'older_than',
      selecting('{ older_than: ▸30 days }'),
      '`older_than` must be a duration such as 90s, 15m, 24h, 7d or 2w',
    ],
    ['too old', selecting('{ older_than: ▸9999d }'), 'a duration can be at most ten years (3650d)'],
  ],
  policies: [
    [
      'a name',
      around('  - { name: ▸Free Tier, select: all, expiry: {}, steps: [{ alert: ops }] }'),
      '`name` must consist of lower-case letters, digits and hyphens',
    ],
    [
      'one name twice',
      around(
        '  - { name: p, select: all, expiry: {}, steps: [{ alert: ops }] }\n  - { name: ▸p, select: all, expiry: {}, steps: [{ alert: ops }] }',
      ),
      'a second policy named `p`',
    ],
    [
      'two names that are none',
      around(
        '  - { name: ▸A, select: all, expiry: {}, steps: [{ alert: ops }] }\n  - { name: ▸A, select: all, expiry: {}, steps: [{ alert: ops }] }',
      ),
      '`name` must consist of lower-case letters, digits and hyphens',
      '`name` must consist of lower-case letters, digits and hyphens',
    ],
    [
      'no rule',
      around('  - ▸{ name: p, select: all, steps: [{ alert: ops }] }'),
      'item 1 of `policies` needs exactly one of `spend`, `expiry` and `idle`, but none is given',
    ],
    [
      'two rules',
      one('expiry: {}, ▸idle: { for: 1d }, steps: [{ alert: ops }]'),
      'item 1 of `policies` needs exactly one of `spend`, `expiry` and `idle`, but `expiry` and `idle` are given',
    ],
    [
      'a misspelt rule is not a missing one',
      one('▸spned: { cost: 1, per: day }, steps: [{ at: 80%, alert: ops }]'),
      'unknown field `spned`',
    ],
    [
      'no steps',
      one('expiry: {}, steps: ▸[]'),
      '`steps` must be a list of at least one step, such as - { at: 80%, alert: ops }',
    ],
    [
      'no select',
      around('  - ▸{ name: p, expiry: {}, steps: [{ alert: ops }] }'),
      '`select` is missing in item 1 of `policies`',
    ],
    [
      'own mode',
      one('mode: ▸loud, expiry: {}, steps: [{ alert: ops }]'),
      '`mode` must be dry-run, alert or enforce',
    ],
    [
      'expiry left empty',
      around('  - name: p\n    select: all\n    ▸expiry:\n    steps: [{ alert: ops }]'),
      "`expiry` is empty; it must have fields, or be {} for the key's own expires_at",
    ],
    [
      'max_age of 0',
      one('expiry: { max_age: ▸0d }, steps: [{ alert: ops }]'),
      '`max_age` must be above zero',
    ],
    ['idle for 0', one('idle: { for: ▸0s }, steps: [{ alert: ops }]'), '`for` must be above zero'],
    [
      'idle for ever',
      one('idle: { for: ▸99999999w }, steps: [{ alert: ops }]'),
      'a duration can be at most ten years (3650d)',
    ],
    ['idle without for', one('idle: ▸{}, steps: [{ alert: ops }]'), '`for` is missing in `idle`'],
  ],
  spend: [
    [
      'no limit',
      one(`spend: ▸{ per: month }, ${alerting}`),
      '`spend` needs exactly one of `cost`, `tokens` and `requests`, but none is given',
    ],
    [
      'two limits',
      one(`spend: { cost: 1, ▸tokens: 1, per: month }, ${alerting}`),
      '`spend` needs exactly one of `cost`, `tokens` and `requests`, but `cost` and `tokens` are given',
    ],
    [
      'cost of zero',
      one(`spend: { cost: ▸0, per: month }, ${alerting}`),
      '`cost` must be an amount of US dollars above zero such as 20 or 19.99, without a currency sign',
    ],
    [
      'cost of zero as text',
      one(`spend: { cost: ▸"0.00", per: month }, ${alerting}`),
      '`cost` cannot be zero',
    ],
    [
      'negative cost',
      one(`spend: { cost: ▸-1, per: month }, ${alerting}`),
      '`cost` must be an amount of US dollars above zero such as 20 or 19.99, without a currency sign',
    ],
    [
      'cost with a sign',
      one(`spend: { cost: ▸$20, per: month }, ${alerting}`),
      '`cost` must be an amount of US dollars above zero such as 20 or 19.99, without a currency sign',
    ],
    [
      'seven decimals',
      one(`spend: { cost: ▸1.0000000, per: month }, ${alerting}`),
      '`cost` cannot be read: more than six decimals',
    ],
    [
      'an exponent',
      one(`spend: { cost: ▸1e3, per: month }, ${alerting}`),
      '`cost` cannot be read: not a plain decimal amount of dollars',
    ],
    [
      'too large',
      one(`spend: { cost: ▸9007199255, per: month }, ${alerting}`),
      '`cost` cannot be read: too large an amount',
    ],
    [
      'infinite',
      one(`spend: { cost: ▸.inf, per: month }, ${alerting}`),
      '`cost` must be an amount of US dollars above zero such as 20 or 19.99, without a currency sign',
    ],
    [
      'tokens',
      one(`spend: { tokens: ▸1.5, per: month }, ${alerting}`),
      '`tokens` must be a whole number above zero, or max_tokens',
    ],
    [
      'requests of zero',
      one(`spend: { requests: ▸0, per: month }, ${alerting}`),
      '`requests` must be a whole number above zero',
    ],
    [
      'max_tokens by the month',
      one(`spend: { tokens: max_tokens, per: ▸month }, ${alerting}`),
      '`tokens: max_tokens` is a cap on a lifetime',
    ],
    [
      'max_tokens of a group',
      one(`spend: { tokens: max_tokens, per: lifetime, across: ▸selected }, ${alerting}`),
      '`tokens: max_tokens` is each key’s own cap, so `across` must be `key`',
    ],
    ['no period', one(`spend: ▸{ cost: 1 }, ${alerting}`), '`per` is missing in `spend`'],
    [
      'period',
      one(`spend: { cost: 1, per: ▸monthly }, ${alerting}`),
      '`per` must be hour, day, week, month, quarter, year, 1h, 24h, 7d, 30d, 60d, 90d or lifetime',
    ],
    [
      'a window that there is not',
      one(`spend: { cost: 1, per: ▸14d }, ${alerting}`),
      '`per` must be hour, day, week, month, quarter, year, 1h, 24h, 7d, 30d, 60d, 90d or lifetime',
    ],
    [
      'across',
      one(`spend: { cost: 1, per: day, across: ▸team }, ${alerting}`),
      '`across` must be key, selected, account or metadata.NAME',
    ],
    [
      'starts_on a day',
      one(`spend: { cost: 1, per: month, starts_on: ▸32 }, ${alerting}`),
      '`starts_on` must be a day of the month from 1 to 31, or a weekday such as sun',
    ],
    [
      'starts_on with a window',
      one(`spend: { cost: 1, per: 24h, starts_on: ▸15 }, ${alerting}`),
      '`starts_on` goes only with `per: month` and `per: week`',
    ],
    [
      'starts_on of a month by weekday',
      one(`spend: { cost: 1, per: month, starts_on: ▸sun }, ${alerting}`),
      'with `per: month`, `starts_on` must be a day from 1 to 31',
    ],
    [
      'starts_on of a week by number',
      one(`spend: { cost: 1, per: week, starts_on: ▸7 }, ${alerting}`),
      'with `per: week`, `starts_on` must be a weekday such as sun',
    ],
    [
      'models',
      one(`spend: { cost: 1, per: day, models: ▸[] }, ${alerting}`),
      '`models` must not be an empty list',
    ],
    [
      'own time zone',
      one(`spend: { cost: 1, per: day, timezone: ▸Mars }, ${alerting}`),
      '`Mars` is not the IANA name of a time zone',
    ],
  ],
});
