/** Policies: their rules and steps, in the schema. */
import { Type } from 'typebox';
import {
  choice,
  closed,
  duration,
  exactlyOne,
  filled,
  flag,
  mode,
  oneOrMany,
  percent,
  text,
  wholeAmount,
  zone,
} from './schema-kinds.ts';
import { selection } from './schema-selectors.ts';

export const spend = closed(
  {
    cost: Type.Optional(
      Type.Unsafe<number | string>({
        type: ['number', 'string'],
        exclusiveMinimum: 0,
        pattern: '^[0-9]{1,15}(\\.[0-9]+)?$',
        description: 'The limit in US dollars, exact to the millionth.',
        errorMessage:
          'must be an amount of US dollars above zero such as 20 or 19.99, without a currency sign',
      }),
    ),
    tokens: Type.Optional(
      wholeAmount(
        "The limit in tokens, or max_tokens: each key's own cap (with `per: lifetime`).",
        'max_tokens',
      ),
    ),
    requests: Type.Optional(wholeAmount('The limit in requests.')),
    per: choice(
      ['hour', 'day', 'week', 'month', 'quarter', 'year', '1h', '24h', '7d', '30d', '60d', '90d', 'lifetime'],
      'The period: of the calendar, rolling, or the whole lifetime.',
    ),
    across: Type.Optional(
      Type.String({
        pattern: '^(key|selected|account|metadata\\..+)$',
        default: 'key',
        description:
          'Whose usage is added up: `key` each key alone, `metadata.NAME` one budget for each value, `selected` all selected keys together, `account` the whole account.',
        errorMessage: 'must be key, selected, account or metadata.NAME',
      }),
    ),
    starts_on: Type.Optional(
      Type.Unsafe<number | string>({
        type: ['integer', 'string'],
        minimum: 1,
        maximum: 31,
        pattern: '^(mon|tue|wed|thu|fri|sat|sun)$',
        description:
          "With `per: month` the day it starts on (clamped to the month's length); with `per: week` the weekday.",
        errorMessage: 'must be a day of the month from 1 to 31, or a weekday such as sun',
      }),
    ),
    models: Type.Optional(
      oneOrMany(filled('A pattern.'), 'Patterns; only the usage of these models counts.'),
    ),
    timezone: Type.Optional(zone("Overrides the file's time zone.")),
  },
  {
    oneOf: exactlyOne('cost', 'tokens', 'requests'),
    description: 'A level against a limit: exactly one of cost, tokens and requests.',
    errorMessage: 'must have fields such as { cost: 20.00, per: month }',
  },
);

const expiry = closed(
  {
    max_age: Type.Optional(duration('The deadline is at the latest this long after creation.')),
    require_expires_at: Type.Optional(
      flag('A key without `expires_at` is past its deadline from the start (unless `max_age` is given).'),
    ),
  },
  {
    description: "A deadline: the key's own `expires_at`, or its greatest age.",
    errorMessage: "must have fields, or be {} for the key's own expires_at",
  },
);

const idle = closed(
  { for: duration('How long a key may go unused.') },
  {
    description: 'A deadline this long after the last use.',
    errorMessage: 'must have a field: { for: 60d }',
  },
);

export const step = closed(
  {
    at: Type.Optional(percent('Spend: the percentage of the limit at which the step fires.')),
    before: Type.Optional(duration('Expiry and idle: fires this long before the deadline.')),
    after: Type.Optional(duration('Expiry and idle: fires this long after the deadline.')),
    alert: Type.Optional(oneOrMany(filled('A channel.'), 'A channel, or a list of channels, to tell.')),
    repeat: Type.Optional(duration('Tell again after this long, while the finding stays at this step.')),
    rename: Type.Optional(
      filled('The new name, a template such as "OVER BUDGET {{ name }}". Undone when the finding closes.'),
    ),
    restore: Type.Optional(flag('false: keep the new name when the finding closes.')),
    delete: Type.Optional(
      closed(
        {
          notice: duration(
            'How long after its notice was accepted by a channel the key is deleted, such as 24h.',
          ),
        },
        { description: 'Delete the key after notice.', errorMessage: 'must have a field: { notice: 24h }' },
      ),
    ),
    basis: Type.Optional(
      choice(
        ['level', 'forecast'],
        "What `at` is compared with: the present level, or the level expected at the period's end (alert only).",
      ),
    ),
    pick: Type.Optional(
      choice(
        ['highest', 'all'],
        "Which of a group's keys a rename or deletion falls on (where `across` is not `key`): the one that has surely used most in the period, or all.",
      ),
    ),
  },
  {
    description: 'What happens when a threshold is reached.',
    errorMessage: 'must have fields such as { at: 80%, alert: ops }',
  },
);

export const policy = closed(
  {
    name: Type.String({
      pattern: '^[a-z0-9-]{1,100}$',
      description: 'Unique; lower-case letters, digits and hyphens.',
      errorMessage: 'must consist of lower-case letters, digits and hyphens',
    }),
    description: Type.Optional(text('For people; quoted in alerts.')),
    mode: Type.Optional(mode("This policy's own mode; the most cautious of all given wins.")),
    select: selection('Which keys it covers: `all`, or fields that must hold.'),
    spend: Type.Optional(spend),
    expiry: Type.Optional(expiry),
    idle: Type.Optional(idle),
    steps: Type.Array(step, {
      minItems: 1,
      description: 'What happens, in order.',
      errorMessage: 'must be a list of at least one step, such as - { at: 80%, alert: ops }',
    }),
  },
  {
    oneOf: exactlyOne('spend', 'expiry', 'idle'),
    description: 'A rule: exactly one of spend, expiry and idle.',
    errorMessage: 'must have the fields name, select, steps and one of spend, expiry and idle',
  },
);
