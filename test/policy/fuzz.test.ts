import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { load } from './loading.ts';

const example = readFileSync(new URL('../../policies.example.yaml', import.meta.url), 'utf8');

/** Succeeds, or says what is wrong at places that exist; in either case soon, and without throwing. */
function survives(text: string): string {
  const started = performance.now();
  const loaded = load(text);
  const faults = loaded.ok ? loaded.warnings : loaded.faults;
  const printed = formatFaults(faults);
  expect(performance.now() - started).toBeLessThan(1000);
  if (!loaded.ok) expect(faults.length).toBeGreaterThan(0);
  const lines = text.split('\n');
  for (const { line, column, message } of faults) {
    expect(message).not.toBe('');
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1);
  }
  // eslint-disable-next-line no-control-regex -- these are the characters that could rewrite a terminal
  expect(printed).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]/);
  return printed;
}

it('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      survives(Buffer.from(bytes).toString('utf8'));
    }),
    { numRuns: 300 },
  );
});

it('random text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      survives(text);
    }),
    { numRuns: 300 },
  );
});

const words =
  'version mode policies name select all spend cost per expiry idle steps alert at delete notice not metadata __proto__ constructor channels slack url'.split(
    ' ',
  );
const marks = [
  ': ',
  ':',
  '- ',
  '\n',
  '\n  ',
  '\n    ',
  '{',
  '}',
  '[',
  ']',
  ', ',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!',
  '|',
  '>',
  '%',
  '@',
  '`',
  '? ',
  '<<',
  '${X}',
  '${',
  '{{',
  '}}',
  '1',
  '80%',
  '.nan',
  '~',
  '\t',
  '\0',
  '\u202e',
  '---\n',
];

it('random YAML', () => {
  const token = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...marks));
  fc.assert(
    fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
      survives(tokens.join(''));
      survives(`version: 1\npolicies: []\n${tokens.join('')}`);
    }),
    { numRuns: 700 },
  );
});

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly insert: string;
}

const cuts = fc.array(
  fc.record({
    at: fc.nat(10_000),
    length: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(60)),
    insert: fc.oneof(fc.constant(''), fc.constantFrom(...words), fc.constantFrom(...marks)),
  }),
  { minLength: 1, maxLength: 4 },
);

function cutUp(text: string, where: readonly Cut[]): string {
  return where.reduce((rest, { at, length, insert }) => {
    const from = at % (rest.length + 1);
    return rest.slice(0, from) + insert + rest.slice(from + length);
  }, text);
}

it('the example, cut up', () => {
  fc.assert(
    fc.property(cuts, (where) => {
      survives(cutUp(example, where));
    }),
    { numRuns: 400 },
  );
});

it('the example, its lines moved about', () => {
  const lines = example.split('\n');
  fc.assert(
    fc.property(fc.array(fc.nat(lines.length - 1), { maxLength: 60 }), (order) => {
      survives(order.map((index) => lines[index] ?? '').join('\n'));
    }),
    { numRuns: 200 },
  );
});

it('and secrets written into the file are never printed', () => {
  const head = `version: 1
smtp:
  url: smtps://user:hunter2@mail.example.com:465
  from: a@b.c
channels:
  a: { slack: { webhook_url: "https://hooks.slack.com/services/hunter2" }, quiet: { hours: 1 } }
  b: { webhook: { url: https://h/hunter2, secret: hunter2, allow_private: yes } }
  c:
    webhook:
      secret: >-
        hunter2
        hunter2
      url: 'https://hunter2@h/'
`;
  const tail = example.slice(example.indexOf('# Never renamed'));
  fc.assert(
    fc.property(cuts, fc.boolean(), (where, before) => {
      const broken = before ? `${cutUp('mode: alert\n', where)}\n${head}` : head + cutUp(tail, where);
      expect(survives(broken)).not.toContain('hunter2');
    }),
    { numRuns: 400 },
  );
});
