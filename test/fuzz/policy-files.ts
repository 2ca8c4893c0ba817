/** Policy files: bytes, text, YAML and a valid file cut up, through the real loader. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { formatFaults, type Environment } from '../../src/policy/load.ts';
import { load } from '../policy/loading.ts';
import { must, subject, type Subject } from './subject.ts';
import { hostileText } from './texts.ts';

const example = readFileSync(new URL('../../policies.example.yaml', import.meta.url), 'utf8');

/** Succeeds, or says what is wrong at places that exist; in either case soon, and without throwing. */
function survives(text: string, environment?: Environment): string {
  const loaded = load(text, environment);
  const faults = loaded.ok ? loaded.warnings : loaded.faults;
  const printed = formatFaults(faults);
  must(loaded.ok || faults.length > 0, 'no fault is told');
  const lines = text.split('\n');
  for (const { line, column, message } of faults) {
    must(message !== '', 'a fault without words');
    must(column >= 1 && column <= (lines[line - 1]?.length ?? -1) + 1, 'a place that is not there', [
      line,
      column,
    ]);
  }
  // eslint-disable-next-line no-control-regex -- these are the characters that could rewrite a terminal
  must(!/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]/.test(printed), 'control characters', printed);
  return printed;
}

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

const lines = example.split('\n');
const token = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...marks));

const secretsInside: readonly Subject[] = [
  subject(
    'policy files: secrets written into them are never printed',
    fc.tuple(cuts, fc.boolean()),
    ([where, before]) => {
      const broken = before ? `${cutUp('mode: alert\n', where)}\n${head}` : head + cutUp(tail, where);
      must(!survives(broken).includes('hunter2'), 'a secret of the file is printed');
    },
  ),
];

/** Values that a variable of the file may have, by the order in which the file asks for them. */
const values = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: hostileText },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['smtps://u:p@mail.example.com:465', 'smtp://localhost', 'https://hooks.slack.com/services/T/B/x'],
        ...[
          'https://u:p@h/',
          'http://127.0.0.1/',
          'whsec_c2VjcmV0',
          'ftp://h/',
          'smtp://:@',
          '"',
          '${SMTP_URL}',
        ],
      ),
    },
  ),
  { minLength: 1, maxLength: 5 },
);

/** As they stand in the example, and where every field takes one. */
const everywhere = `version: 1
mode: "\${MODE}"
timezone: "\${ZONE}"
smtp: { url: "\${SMTP_URL}", from: "\${FROM}" }
channels:
  a: { slack: { webhook_url: "\${SLACK}" }, quiet: { hours: "\${HOURS}" } }
  b: { email: { to: ["\${TO}", "{{ metadata.email }}\${TO}"], allow_domains: ["\${DOMAIN}"] } }
  c: { webhook: { url: "https://\${HOST}/x", secret: "\${SECRET}" } }
protect: [{ name: "\${NAME}" }]
policies:
  - name: p
    select: { metadata: { team: "\${TEAM}" } }
    spend: { cost: "\${COST}", per: month }
    steps: [{ at: 80%, alert: a, rename: "OVER \${NAME}" }]
`;

/** Long enough not to be in a message by chance. */
const isTelling = (value: string): boolean => value.trim().length >= 12;

function survivesValues(given: readonly string[]): void {
  for (const text of [example, everywhere]) {
    const told: string[] = [];
    const printed = survives(text, () => {
      const value = given[told.length % given.length] ?? '';
      told.push(value);
      return { value };
    });
    for (const value of told.filter(isTelling))
      must(text.includes(value) || !printed.includes(value), 'the value of a variable is printed', printed);
  }
}

export const policySubjects: readonly Subject[] = [
  subject('policy files: values of their variables', values, survivesValues, 0.3),
  subject('policy files: random bytes', fc.uint8Array({ maxLength: 300 }), (bytes) =>
    survives(Buffer.from(bytes).toString('utf8')),
  ),
  subject('policy files: random text', fc.string({ unit: 'binary', maxLength: 200 }), (text) =>
    survives(text),
  ),
  subject(
    'policy files: hostile and long text',
    fc.tuple(hostileText, fc.nat(2)),
    ([long, where]) => {
      // Longer ones are not read.
      const text = long.slice(0, where === 2 ? 20_000 : 60_000);
      if (where === 0) survives(text);
      else if (where === 1) survives(`version: 1\npolicies: []\n${text}`);
      else survives(`version: 1\nmode: ${text}\npolicies: [{ name: ${JSON.stringify(text)} }]\n`);
    },
    0.3,
  ),
  subject('policy files: random YAML', fc.array(token, { maxLength: 60 }), (tokens) => {
    survives(tokens.join(''));
    survives(`version: 1\npolicies: []\n${tokens.join('')}`);
  }),
  subject('policy files: the example, cut up', cuts, (where) => survives(cutUp(example, where))),
  subject(
    'policy files: the example, its lines moved about',
    fc.array(fc.nat(lines.length - 1), { maxLength: 60 }),
    (order) => survives(order.map((index) => lines[index] ?? '').join('\n')),
  ),
  ...secretsInside,
];
