import { expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { hiddenRanges, isSecretField } from '../../src/policy/secrecy.ts';
import { faultsIn, top } from './loading.ts';

it.each([
  ['a URL where a mapping belongs', top('channels: { ops: { slack: https://hooks.example/hunter2 } }')],
  ['a URL under a name that is not known', top('webhook: https://hooks.example/hunter2')],
  ['a URL as a name', top('? https://hooks.example/hunter2\n: 1')],
  ['a URL as a channel', top('channels: { x: https://h/hunter2 }')],
  ['a secret under a misspelt name', top('secrets: hunter2')],
  [
    'a secret of several lines',
    top('channels:\n  p:\n    webhook:\n      secret: |\n        hunter2\n        hunter2\n      url: 1'),
  ],
  ['a secret beside a fault', top('channels: { p: { webhook: { secret: hunter2, url: 1 } } }')],
  ['a secret in a file that is not YAML', 'version: 1\nsmtp: { url: smtps://u:hunter2@h, from: "\n'],
  ['a secret that is not YAML', top('channels: { p: { webhook: { secret: *hunter2 } } }')],
  ['a secret with an unknown escape', top('secret: "\\hunter2"')],
])('%s is not printed', (_, text) => {
  const printed = formatFaults(faultsIn(text));
  expect(printed).toContain('policies.yaml:');
  expect(printed).not.toContain('hunter2');
});

it('hides a secret of several lines in a file that is not YAML, and no line after it', () => {
  const text = `version: 1
channels:
  p:
    webhook:
      secret: |
        hunter2

        hunter2
      allow_private: true
      x: "
`;
  const printed = formatFaults(faultsIn(text));
  expect(printed).not.toContain('hunter2');
  expect(printed).toContain('allow_private: true');
});

it('shows where a secret comes from, when that is not in the file', () => {
  const [fault] = faultsIn('smtp: { url: "${MISSING}", from: a@b.c } # here\nversion: 1\npolicies: []\n');
  expect(fault?.frame).toContain('smtp: { url: "${MISSING}", from: a@b.c } # here');
});

it('marks the right place behind a hidden one', () => {
  const [fault] = faultsIn(
    top('channels: { p: { webhook: { secret: hunter2hunter2hunter2, url: https://h, allow_private: 1 } } }'),
  );
  const [line = '', mark = ''] = fault?.frame.split('\n').slice(-3) ?? [];
  expect(line.slice(mark.indexOf('^'))).toBe('1 } } }');
  expect(fault?.column).toBe(91);
});

it.each<[string, string[]]>([
  ['secret: one\nnext: 1', [' one']],
  ['url: one\nname: x\nsecret: two', [' one', ' two']],
  ['x: { "secret": one }\nnext: 1', [' one }']],
  ['x:\n  secret: |\n    one\n\n    two\n  next: 1', [' |\n    one\n\n    two']],
  ['x:\n\tsecret: |\n\t\tone\n\tnext: 1', [' |\n\t\tone']],
  ['secret:\n  one\n  two', ['\n  one\n  two']],
  ['- secret: |\n    one\n- next: 1', [' |\n    one']],
  ['secret: ${SECRET} # here\nnext: 1', []],
  ['name: one\n  two', []],
])('of %j, which is not YAML, hides %j', (text, hidden) => {
  expect(hiddenRanges(text, [], false).map(([start, end]) => text.slice(start, end))).toEqual(hidden);
  expect(hiddenRanges(text, [], true)).toEqual([]);
});

it('merges what touches, whatever the order', () => {
  const known = [
    [6, 8],
    [2, 4],
    [0, 2],
  ] as const;
  expect(hiddenRanges('abcdefgh', known, true)).toEqual([
    [0, 4],
    [6, 8],
  ]);
});

it('merges what overlaps', () => {
  expect(
    hiddenRanges(
      'xx https://h yy',
      [
        [0, 5],
        [4, 8],
      ],
      true,
    ),
  ).toEqual([[0, 12]]);
});

it.each(['url', 'webhook_url', 'secret', 'URL', 'webhookUrl', 'secrets'])('%s is a secret field', (name) => {
  expect(isSecretField(name)).toBe(true);
});
