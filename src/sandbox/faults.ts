/** What can go wrong between a program and a service, to be ordered for the next requests. */
import Type, { type Static } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { createRandom } from './random.ts';

const endpoints = [
  'list', 'create', 'rename', 'delete', 'usage', 'key-usage', 'series', 'transactions', 'slack', 'webhook',
] as const; // prettier-ignore

/** What a rule can be about: an endpoint of the Admin API, or a receiver of alerts. */
export type Endpoint = (typeof endpoints)[number];

const closed = { additionalProperties: false };

const faultSchema = Type.Union([
  /**
   * An error status; `after`: although the request took effect. `text`: the body, such as Slack's
   * `no_service` (404), `action_prohibited` (403), `channel_is_archived` (410) or `rollup_error` (500).
   */
  Type.Object(
    {
      kind: Type.Literal('status'),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      text: Type.Optional(Type.String()),
      after: Type.Optional(Type.Boolean()),
      retryAfter: Type.Optional(Type.String()),
    },
    closed,
  ),
  /** By the injected clock. The answer is then as usual, or as another fault of the same request has it. */
  Type.Object({ kind: Type.Literal('delay'), ms: Type.Number({ minimum: 0 }) }, closed),
  /** The connection breaks: before the request has any effect, after it but without an answer, amid the answer. */
  Type.Object({ kind: Type.Literal('cut'), when: Type.Enum(['before', 'after', 'mid-body']) }, closed),
  /** A body that only looks like JSON; JSON that stops halfway; a page; nothing: all with status 200. */
  Type.Object({ kind: Type.Enum(['malformed', 'truncated', 'html', 'empty']) }, closed),
  /** This body instead, with status 200. */
  Type.Object({ kind: Type.Literal('body'), text: Type.String() }, closed),
  /** Every field of this name, at any depth, is left out. */
  Type.Object({ kind: Type.Literal('missing-field'), field: Type.String() }, closed),
  /** Every field of this name, at any depth, has this value. */
  Type.Object({ kind: Type.Literal('set-field'), field: Type.String(), value: Type.Unknown() }, closed),
  /** The list, the aggregate's rows or the series' points: none of them, or only the first `keep` (0 to 1). */
  Type.Object({ kind: Type.Literal('empty-list') }, closed),
  Type.Object({ kind: Type.Literal('shrunk-list'), keep: Type.Number({ minimum: 0, maximum: 1 }) }, closed),
]);

const ruleSchema = Type.Object(
  {
    endpoint: Type.Enum(['any', ...endpoints]),
    fault: faultSchema,
    /** After how many requests it comes to an end; left out: never. */
    times: Type.Optional(Type.Integer({ minimum: 1 })),
    /** How many requests are let through first. */
    skip: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Of striking a request it could strike; left out: 1. */
    probability: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  closed,
);

export type Fault = Static<typeof faultSchema>;
export type FaultRule = Static<typeof ruleSchema>;

/** Reads a rule that came from outside. Throws a TypeError that says what is wrong with it. */
export function parseFaultRule(value: unknown): FaultRule {
  if (Check(ruleSchema, value)) return value;
  const [first] = Errors(ruleSchema, value);
  throw new TypeError(
    `not a fault: ${first === undefined ? 'wrong form' : `${first.instancePath || '/'} ${first.message}`}`,
  );
}

/** The faults on order. Which requests a probability strikes depends on the seed alone. */
export interface Faults {
  /** Returns how to take the rule back. */
  add(rule: FaultRule): () => void;
  clear(): void;
  /** What is still on order. */
  readonly rules: readonly FaultRule[];
  /** What strikes this request; counts it. */
  strike(endpoint: Endpoint): readonly Fault[];
}

interface Order {
  readonly rule: FaultRule;
  skip: number;
  times: number;
}

export function createFaults(seed: string | number = 'faults'): Faults {
  const random = createRandom(seed);
  let orders: Order[] = [];

  function strikes(order: Order): boolean {
    if (order.skip > 0) {
      order.skip--;
      return false;
    }
    if (!random.chance(order.rule.probability ?? 1)) return false;
    order.times--;
    return true;
  }

  return {
    add: (rule) => {
      const order = { rule, skip: rule.skip ?? 0, times: rule.times ?? Infinity };
      orders.push(order);
      return () => {
        orders = orders.filter((other) => other !== order);
      };
    },
    clear: () => {
      orders = [];
    },
    get rules() {
      return orders.map(({ rule }) => rule);
    },
    strike: (endpoint) => {
      const concerned = orders.filter(({ rule }) => rule.endpoint === 'any' || rule.endpoint === endpoint);
      const struck = concerned.filter(strikes);
      orders = orders.filter(({ times }) => times > 0);
      return struck.map(({ rule }) => rule.fault);
    },
  };
}
