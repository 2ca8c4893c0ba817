/** Answers of the Admin API: valid ones with something wrong in them, and whatever else may come. */
import { gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { AdminReader, AdminWriter } from '../../src/ports.ts';
import type { Incoming } from '../../src/tinfoil/transport.ts';
import { AdminApiError } from '../../src/tinfoil/errors.ts';
import { adminKey, apiKey, clientOf, listed, never } from '../tinfoil/harness.ts';
import { fits } from './port-types.ts';
import { must, subject, type Subject } from './subject.ts';
import { hostileText, longText } from './texts.ts';

const counters = { cost: 12.34, tokens: 1000, requests: 3 };
const usageRow = { cost: 1.5, total_tokens: 700, total_requests: 2, models: { m: counters } };
const keyRow = {
  key: apiKey,
  name: 'User 7',
  created_at: '2026-01-02T03:04:05Z',
  expires_at: '2027-01-02T03:04:05.123456789+02:00',
  max_tokens: 5,
  is_admin: false,
  chat: true,
  metadata: { email: 'ana@example.com', plan: 'free', deep: { a: [1] } },
};

type Client = { readonly reader: AdminReader; readonly writer: AdminWriter };

/** Each call with a valid answer to it. */
const calls = {
  list: {
    answer: [keyRow, { ...keyRow, key: `${apiKey}2`, metadata: null, expires_at: null }],
    ask: ({ reader }: Client) => reader.listKeys(never),
  },
  usage: {
    answer: { ...counters, keys: { 'User 7': usageRow, 'User 8': { ...usageRow, models: null } } },
    ask: ({ reader }: Client) => reader.usage(null, never),
  },
  reading: {
    answer: { cost: 1.25, prompt_tokens: 10, completion_tokens: 5, requests: 2 },
    ask: ({ reader }: Client) => reader.keyUsage(listed.secret, '7d', never),
  },
  series: {
    answer: {
      interval: '1h0m0s',
      data_points: [
        { time: '2026-11-23T10:00:00Z', tokens: 1, requests: 1, models: { m: { tokens: 1, requests: 1 } } },
      ],
    },
    ask: ({ reader }: Client) => reader.series('1h', never),
  },
  transactions: {
    answer: [
      {
        id: 't1',
        date: '2026-11-23T10:00:00Z',
        type: 'usage',
        description: 'x',
        amount: -1.5,
        status: 'done',
      },
    ],
    ask: ({ reader }: Client) => reader.transactions(never),
  },
  create: { answer: keyRow, ask: ({ writer }: Client) => writer.createKey({ name: 'User 7' }, never) },
  rename: {
    answer: { status: 'success' },
    ask: ({ writer }: Client) => writer.renameKey(listed.key, listed.secret, 'x', never),
  },
  delete: {
    answer: { status: 'success' },
    ask: ({ writer }: Client) => writer.deleteKey(listed.key, listed.secret, never),
  },
} as const;

export type CallName = keyof typeof calls;
const callNames = Object.keys(calls) as CallName[];

/** Of an answer's body, what takes one value's place: as JSON text, which may be no JSON. */
const wrong = fc.oneof(
  fc.constantFrom(
    '1e999', '-1e999', '-1', '-0', '0', '0.0000001', '9007199254740993', '1e21', '1e308', '123456789012345678901234567890',
    'NaN', 'Infinity', '"NaN"', '"12"', '"1e3"', 'null', 'true', 'false', '[]', '{}', '""', '"\\ud800"', '"\\u0000"', '[[]]', '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":{"polluted":true}}}', '"0001-01-01T00:00:00Z"', '"2026-02-30T00:00:00Z"', '"9999-12-31T23:59:60Z"', '"-000001-01-01T00:00:00Z"',
    'undefined', "'x'", '0x10', '01', '1.', '.5', '+1',
  ), // prettier-ignore
  hostileText.map((text) => JSON.stringify(text)),
  fc.constantFrom(50, 5_000, 200_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.constantFrom(50, 5_000, 50_000).map((depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
  fc.constant(`"Bearer ${adminKey} ${apiKey}"`),
);

type Change =
  | { readonly kind: 'replace'; readonly at: number; readonly text: string }
  | { readonly kind: 'drop' | 'twice' | 'again'; readonly at: number }
  | { readonly kind: 'add'; readonly at: number; readonly name: string; readonly text: string }
  | { readonly kind: 'cut'; readonly at: number; readonly insert: string; readonly length: number };

const place = fc.nat(60);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), at: place, text: wrong }),
  fc.record({ kind: fc.constantFrom('drop' as const, 'twice' as const, 'again' as const), at: place }),
  fc.record({
    kind: fc.constant('add' as const),
    at: place,
    name: fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'key', 'name', 'toJSON', 'length'),
      hostileText,
    ),
    text: wrong,
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    at: fc.nat(2000),
    insert: fc.oneof(fc.constant(''), wrong),
    length: fc.nat(40),
  }),
);

/** The answer as text, changed at the place of that number: values are counted in the order they are written. */
export function changed(answer: unknown, edit: Change): string {
  if (edit.kind === 'cut') {
    const text = JSON.stringify(answer);
    const at = edit.at % (text.length + 1);
    return text.slice(0, at) + edit.insert + text.slice(at + edit.length);
  }
  const places = countValues(answer);
  let left = edit.at % places;
  const write = (value: unknown): string => {
    if (left-- === 0 && edit.kind === 'replace') return edit.text;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const here = left === -1;
    if (Array.isArray(value)) {
      const items = value.flatMap((one) => member(write(one)));
      return `[${[...items, ...(here && edit.kind === 'add' ? [edit.text] : [])].join(',')}]`;
    }
    const members = Object.entries(value).flatMap(([name, one]) =>
      member(`${JSON.stringify(name)}:${write(one)}`),
    );
    const more = here && edit.kind === 'add' ? [`${JSON.stringify(edit.name)}:${edit.text}`] : [];
    return `{${[...members, ...more].join(',')}}`;
  };
  const member = (text: string): string[] => {
    if (left !== -1 || edit.kind === 'replace' || edit.kind === 'add') return [text];
    left -= 1;
    return edit.kind === 'drop' ? [] : edit.kind === 'twice' ? [text, text] : [text, text.replace('7', '8')];
  };
  return write(answer);
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, one) => sum + countValues(one), 1);
}

const types = ['application/json', 'text/html', '', 'application/json; charset=utf-16', 'x'.repeat(5000)];
const headers = fc.record(
  {
    'content-type': fc.constantFrom(...types),
    'content-length': fc.constantFrom('0', '-1', 'x', '1e999', '99999999999999999999'),
    date: fc.constantFrom('Mon, 23 Nov 2026 10:00:00 GMT', 'yesterday', 'Mon, 99 Nov 2026 10:00:00 GMT', '0'),
    'retry-after': fc.constantFrom(
      '1',
      '-1',
      '1e9',
      '99999999999999999999999',
      'Mon, 23 Nov 2099 10:00:00 GMT',
      'x',
      '',
    ),
    location: fc.constant(`https://evil.example/${adminKey}`),
  },
  { requiredKeys: [] },
);

const status = fc.oneof(
  { weight: 6, arbitrary: fc.constant(200) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      201,
      204,
      206,
      299,
      301,
      304,
      400,
      401,
      404,
      408,
      409,
      418,
      429,
      500,
      503,
      599,
      0,
      999,
    ),
  },
);

/** An answer as `fetch` hands it over, in pieces, and perhaps broken off. */
function incoming(given: {
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly headers: Readonly<Partial<Record<string, string>>>;
  readonly broken: boolean;
  readonly more?: number;
  readonly end?: string;
}): Incoming {
  const { bytes } = given;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const half = Math.ceil(bytes.length / 2);
    yield bytes.subarray(0, half);
    if (given.broken) throw Object.assign(new Error(`cut: ${adminKey}`), { code: 'ECONNRESET' });
    yield bytes.subarray(half);
    // As from a socket, each a piece of its own.
    for (let left = given.more ?? 0; left > 0; left -= 1) yield Buffer.from(bytes);
    if (given.end !== undefined) yield Buffer.from(given.end);
  }
  return {
    status: given.status,
    ok: given.status >= 200 && given.status < 300,
    headers: { get: (name) => given.headers[name] ?? null },
    body: { [Symbol.asyncIterator]: chunks, cancel: async () => undefined },
  };
}

interface Exchange {
  readonly call: CallName;
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly headers: Readonly<Partial<Record<string, string>>>;
  readonly broken: boolean;
  /** How often the bytes come again, and what comes last. */
  readonly more?: number;
  readonly end?: string;
}

/** A value that is what the port says, or the client's own error with nothing secret in it. */
async function survives(exchange: Exchange, attempts = 2): Promise<void> {
  const { call } = exchange;
  const client = clientOf({
    fetch: async () => incoming(exchange),
    retries: { attempts, firstPauseMs: 1 },
  });
  let value: unknown;
  try {
    value = await calls[call].ask(client);
  } catch (error) {
    must(error instanceof AdminApiError, `${call} rejected with another error`, inspect(error));
    must(error.kind !== undefined && error.endpoint !== undefined && error.message !== '', 'no facts');
    must(error.message.length < 1000, 'an error of great length', error.message);
    must(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(error.message), 'control characters', error.message);
    const shown = `${inspect(error, { depth: 5 })} ${JSON.stringify(error)}`;
    for (const secret of [adminKey, apiKey]) must(!shown.includes(secret), 'a secret in an error', shown);
    return;
  }
  const fault = fits(call, value);
  must(fault === null, `${call} gave what the port does not know, ${fault ?? ''}`, inspect(value));
  must(!('polluted' in {}), 'the prototype of all objects was changed');
}

const exchange = (bytes: fc.Arbitrary<Uint8Array>, of: fc.Arbitrary<CallName>): fc.Arbitrary<Exchange> =>
  fc.record({
    call: of,
    bytes,
    status,
    headers,
    broken: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });

const callName = fc.constantFrom(...callNames);

const mutated = callName.chain((call) =>
  exchange(
    fc.array(change, { minLength: 0, maxLength: 1 }).map(([edit]) => {
      const { answer } = calls[call];
      return Buffer.from(edit === undefined ? JSON.stringify(answer) : changed(answer, edit));
    }),
    fc.constant(call),
  ),
);

/** Only the structure is changed, and nothing of what comes with it. */
const mutatedWell = mutated.map((one) => ({ ...one, status: 200, headers: {}, broken: false }));

const raw = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .constantFrom(
      '',
      ' ',
      'null',
      '""',
      '[',
      '{',
      '<!doctype html><h1>Bad gateway</h1>',
      '\ufeff[]',
      '[]\0',
      '{}{}',
      'NaN',
    )
    .map((text) => Buffer.from(text)),
  fc.constant(gzipSync('[]')),
  fc.constant(gzipSync('[]').subarray(0, 10)),
  fc.constant(Buffer.from('[{"name":"\xff\xfe\xc0\x80"}]', 'latin1')),
  fc.constant(Buffer.from(JSON.stringify(calls.list.answer), 'utf16le')),
  longText.map((text) => Buffer.from(text)),
  longText.map((text) => Buffer.from(JSON.stringify({ status: 'error', message: text }))),
);

const units = {
  lists: '[],',
  objects: '{},',
  numbers: '1.5,',
  texts: '"a",',
  'keys that are all the same': `${JSON.stringify(keyRow)},`,
  'lists in lists': '[',
  blanks: '\n',
  letters: 'é',
} as const;

/** Of many megabytes, around what is taken at all. */
const gigantic: fc.Arbitrary<Exchange> = fc
  .record({
    call: fc.constantFrom<CallName>('list', 'usage', 'transactions'),
    unit: fc.constantFrom(...Object.values(units)),
    more: fc.constantFrom(1, 4, 15, 46, 60),
    end: fc.constantFrom('0]', '', '{}'),
  })
  .map(({ call, unit, more, end }) => {
    const bytes = Buffer.from(unit.repeat(Math.floor(1_048_576 / Buffer.byteLength(unit))));
    bytes.write('[');
    return { call, bytes, more, end, status: 200, headers: {}, broken: false };
  });

export const answerSubjects: readonly Subject[] = [
  subject('answers: valid ones with one thing changed', mutatedWell, (given) => survives(given)),
  subject('answers: changed, with other statuses and headers, or cut off', mutated, (given) =>
    survives(given),
  ),
  subject('answers: bytes that are no answer', exchange(raw, callName), (given) => survives(given)),
  subject(
    'answers: gigantic ones',
    gigantic,
    (given) => {
      // What earlier ones left behind is not what this one needs.
      globalThis.gc?.();
      // A second attempt is as the first.
      return survives(given, 1);
    },
    0.02,
  ),
];
