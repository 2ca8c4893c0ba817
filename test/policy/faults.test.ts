import { describe, expect, it } from 'vitest';
import { formatFaults, formatWarnings } from '../../src/policy/load.ts';
import { around, environment, faultsIn, load, marked, monthly, top, withSteps } from './loading.ts';

const one = (rest: string) => around(`  - { name: p, select: all, ${rest} }`);
const alerting = 'steps: [{ at: 80%, alert: ops }]';

describe('hints', () => {
  it.each([
    ['a field', top('polices: []'), 'did you mean `policies`?'],
    [
      'a field like no other',
      top('zzz: 1'),
      'known here: version, mode, timezone, smtp, channels, protect, limits, policies, silences',
    ],
    ['swapped letters', one(`spned: { cost: 1, per: day }, ${alerting}`), 'did you mean `spend`?'],
    ['a channel', withSteps(monthly, '{ at: 80%, alert: ownr }'), 'did you mean `owner`?'],
    [
      'a channel like no other',
      withSteps(monthly, '{ at: 80%, alert: pagerduty }'),
      'known: ops, owner, mail',
    ],
    ['a mode', top('mode: Enforce'), 'did you mean `enforce`?'],
    ['a period', one(`spend: { cost: 1, per: monthly }, ${alerting}`), 'did you mean `month`?'],
    ['a window', one(`spend: { cost: 1, per: 24hr }, ${alerting}`), 'did you mean `24h`?'],
    ['a time zone', top('timezone: Europe/Berlim'), 'did you mean `Europe/Berlin`?'],
    ['a city', top('timezone: new york'), 'did you mean `America/New_York`?'],
    ['a template variable', withSteps('expiry: {}', '{ rename: "X {{ nmae }}" }'), 'did you mean `name`?'],
    [
      'a metadata variable',
      withSteps('expiry: {}', '{ rename: "X {{ meta_data.team }}" }'),
      'did you mean `metadata.team`?',
    ],
    ['a time zone like no other', top('timezone: Mars'), 'for example UTC, Europe/Berlin, America/New_York'],
    [
      'a channel where there is none',
      top('').replace(
        'policies: []',
        'policies: [{ name: p, select: all, expiry: {}, steps: [{ alert: x }] }]',
      ),
      'no channels are defined: add `channels:`',
    ],
    ['a merge key', top('<<: { mode: alert }'), 'YAML 1.2 has no merge keys: write the fields out'],
    ['a field given twice', top('mode: alert\nmode: alert'), 'keep one of the two'],
    ['an empty file', '', 'a policy file has at least `version: 1` and `policies: []`'],
    ['a directive', '%YAML 1.1\n---\nversion: 1\npolicies: []\n', 'leave out the %YAML line'],
    ['an alias like no other', top('mode: *alert'), 'text that starts with `*` needs quotes'],
    [
      'an address',
      top('smtp: { url: "smtp://h", from: a@b.c }\nchannels: { x: { email: { to: ops } } }'),
      'write ops@example.com, or a template such as "{{ metadata.email }}"',
    ],
    [
      'a template variable like no other',
      withSteps('expiry: {}', '{ rename: "X {{ zzz }} {{ name }}" }'),
      'known: name, policy, percent, limit, level, period, deadline, id and metadata.NAME',
    ],
    [
      'each key’s own cap',
      one(`spend: { tokens: max_tokens, per: month }, ${alerting}`),
      'write `per: lifetime`, or a number of tokens',
    ],
    [
      'a step without its percentage',
      withSteps(monthly, '{ alert: ops }'),
      'for example `at: 80%`: the percentage of the limit',
    ],
    [
      'a deadline of a budget',
      withSteps(monthly, '{ at: 80%, after: 7d, alert: ops }'),
      'write `at: 80%`: the percentage of the limit',
    ],
    [
      'a percentage of a deadline',
      withSteps('expiry: {}', '{ at: 80%, alert: ops }'),
      'write `before: 7d` or `after: 7d`, or neither for the deadline itself',
    ],
    [
      'a step that does nothing',
      withSteps('expiry: {}', '{ after: 1d }'),
      'give it one or more of `alert`, `rename` and `delete`',
    ],
    [
      'a rename with a deletion',
      withSteps('expiry: {}', '{ alert: ops, rename: "X {{ name }}", delete: { notice: 1d } }'),
      'put the rename in an earlier step: both then apply, in order',
    ],
    [
      'a deletion that nobody hears of',
      withSteps('expiry: {}', '{ delete: { notice: 1d } }'),
      'add `alert:` with the channels that are to get the notice',
    ],
    [
      'a forecast that changes',
      withSteps(monthly, '{ at: 100%, basis: forecast, alert: ops, rename: "X {{ name }}" }'),
      'rename and delete in a step of the real level',
    ],
    [
      'a forecast without an end',
      withSteps('spend: { cost: 1, per: 24h }', '{ at: 100%, basis: forecast, alert: ops }'),
      'use `per: month` or another period of the calendar',
    ],
    ['a needless pick', withSteps('expiry: {}', '{ rename: "X {{ name }}", pick: all }'), 'remove it'],
    ['an alias', top('protect: &nobody []\nsilences: *nobod'), 'did you mean `*nobody`?'],
    [
      'a missing field',
      withSteps('expiry: {}', '{ alert: ops, delete: {} }'),
      '`notice`: how long after its notice was accepted by a channel the key is deleted, such as 24h',
    ],
  ])('%s', (_, text, hint) => {
    expect(faultsIn(text).map((fault) => fault.hint)).toEqual([hint]);
  });
});

it('a hint tells nothing of what came from the environment', () => {
  const hintOf = (text: string, value: string) =>
    faultsIn(text, (name) => (name === 'V' ? { value } : environment(name))).map(({ hint }) => hint);
  expect(hintOf(top('timezone: "${V}"'), 'Europe/Berlim')).toEqual([
    'for example UTC, Europe/Berlin, America/New_York',
  ]);
  expect(hintOf(top('mode: "${V}"'), 'Enforce')).toEqual([null]);
  expect(hintOf(withSteps('expiry: {}', '{ alert: "${V}" }'), 'opz')).toEqual(['known: ops, owner, mail']);
});

it('text of the file is quoted up to sixty characters', () => {
  for (const [length, shown] of [
    [60, 'z'.repeat(60)],
    [61, `${'z'.repeat(60)}…`],
  ] as const)
    expect(faultsIn(top(`${'z'.repeat(length)}: 1`))[0]?.message).toBe(`unknown field \`${shown}\``);
});

describe('several faults', () => {
  it('are all told, in the order of the file', () => {
    const { text, places } = marked(`version: 1
mode: ▸loud
protect: []
channels:
  ops: { slack: { ▸webhok_url: x } }
policies:
  - name: ▸Bad Name
    select: { older_than: ▸5 }
    spend: { cost: ▸1.12345678, per: month, timezone: ▸Nowhere }
    steps:
      - { at: 100%, alert: ▸opps }
      - { at: ▸80%, alert: ops, delete: ▸{} }
`);
    expect(faultsIn(text).map(({ line, column }) => `${String(line)}:${String(column)}`)).toEqual(places);
  });

  it('beyond a hundred are counted', () => {
    const faults = faultsIn(top(Array.from({ length: 130 }, (_, i) => `zzz${String(i)}: 1`).join('\n')));
    expect(faults).toHaveLength(101);
    expect(faults.at(-1)?.message).toBe('and 30 more faults below');
  });

  it('of a file that is nested too deep for the parser are few', () => {
    expect(faultsIn(top(`mode: ${'['.repeat(20_000)}`)).map(({ message }) => message)).toEqual([
      'nested more than 40 levels deep',
      'nested too deep to be read',
    ]);
  });

  it('of an alias bomb are few, and found fast', () => {
    const bomb = 'abcdefgh'.split('').map(
      (name, i, names) =>
        `${name}: &${name} [${Array(10)
          .fill(i === 0 ? 'x' : `*${names[i - 1] ?? ''}`)
          .join(', ')}]`,
    );
    const started = performance.now();
    const messages = faultsIn(top(bomb.join('\n'))).map((fault) => fault.message);
    expect(messages).toContain('aliases (`*`) grow to more than 10000 values');
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('places', () => {
  it('are paths as people write them', () => {
    const text = withSteps(monthly, '{ at: 80%, alert: ops }', '{ at: 100%, alert: [ops, nobody] }');
    expect(faultsIn(text)[0]?.path).toBe('policies[0].steps[1].alert[1]');
  });

  it('are right with Windows line ends and a byte order mark', () => {
    const [fault] = faultsIn('\uFEFFversion: 1\r\npolicies: []\r\nmode: loud\r\n');
    expect(fault).toMatchObject({ line: 3, column: 7 });
    expect(fault?.frame).toBe(
      '  1 | \uFFFDversion: 1\n  2 | policies: []\n> 3 | mode: loud\n    |       ^\n  4 |',
    );
  });

  it('in a very long line are shown with what is around them', () => {
    const [fault] = faultsIn(
      `{ version: 1, policies: [], ${'a'.repeat(300)}: 1, mode: loud, ${'b'.repeat(300)}: 1 }`,
    ).filter(({ path }) => path === 'mode');
    const [line = '', mark = ''] = fault?.frame.split('\n') ?? [];
    expect(line.length).toBeLessThan(160);
    expect(line.slice(mark.indexOf('^')).startsWith('loud')).toBe(true);
  });
});

describe('printed', () => {
  it.each([
    [
      'a file without a line to show',
      '',
      'policies.yaml:1:1: the file is empty\n  = a policy file has at least `version: 1` and `policies: []`\n',
    ],
    [
      'no hint where the message says it all',
      'version: 2\npolicies: []',
      'policies.yaml:1:10: `version` must be 1\n> 1 | version: 2\n    |          ^\n  2 | policies: []\n',
    ],
  ])('%s', (_, text, printed) => {
    expect(formatFaults(faultsIn(text))).toBe(printed);
  });

  it('as warnings', () => {
    const loaded = load(top('silences: [{ select: all, until: 2026-11-23T10:00:00Z }]'));
    expect(loaded.ok && formatWarnings([...loaded.warnings, ...loaded.warnings])).toMatch(
      /^policies.yaml:3:34: warning: this silence is over .*\n(?:.*\n)+policies.yaml:3:34: warning: this/,
    );
  });
});

describe('warnings', () => {
  const warningsOf = (text: string) => {
    const loaded = load(text);
    return loaded.ok
      ? loaded.warnings.map(
          ({ line, column, message, hint }) =>
            `${String(line)}:${String(column)} ${message}; ${String(hint)}`,
        )
      : null;
  };

  it('a silence that is over', () => {
    const { text, places } = marked(top('silences: [{ select: all, until: ▸2026-11-23T10:00:00Z }]'));
    expect(warningsOf(text)).toEqual([
      `${places[0] ?? ''} this silence is over and holds nothing back; remove it, or give it a later end`,
    ]);
  });

  it('a rename to one name for all', () => {
    const { text, places } = marked(withSteps('expiry: {}', '{ rename: ▸"EXPIRED {{ policy }}" }'));
    expect(warningsOf(text)).toEqual([
      `${places[0] ?? ''} every key that this step renames gets the same name; keys that share a name have to be measured one by one: add {{ name }} or {{ id }}`,
    ]);
  });

  it('none otherwise', () => {
    for (const own of ['name', 'id', 'metadata.team'])
      expect(warningsOf(withSteps('expiry: {}', `{ rename: "{{ policy }} {{ ${own} }}" }`))).toEqual([]);
  });
});
