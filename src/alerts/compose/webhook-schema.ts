/**
 * The shape of a webhook's body, once: the JSON Schema that is published for receivers, and the
 * static types of what `webhook.ts` makes. Objects are open, for fields are added but never removed
 * or changed; a receiver that validates with an older schema goes on working.
 */
import { Type, type Static, type TProperties, type TSchema } from 'typebox';

const text = (description: string) => Type.String({ description });
const instant = (description: string) => Type.String({ format: 'date-time', description });
const count = (description: string, minimum = 0) => Type.Integer({ minimum, description });
const amount = (description: string) => Type.String({ pattern: '^-?[0-9]+(\\.[0-9]+)?$', description });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const choice = <const V extends string[]>(values: V, description: string) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: values, description });

const ofAll = {
  id: text('Of the alert: the same whenever it is sent again.'),
  at: instant('When it was decided.'),
  severity: choice(['critical', 'warning', 'info'], 'How bad it is.'),
  headline: text('What happened, in a line. Safe to show: no line breaks, nothing invisible.'),
};

const system = Type.Object(
  {
    topic: Type.Literal('system'),
    ...ofAll,
    title: text('What is wrong, or over, as it was written.'),
    text: text('The whole of it.'),
  },
  { description: 'About Keywarden itself.' },
);

const subject = Type.Union(
  [
    Type.Object(
      {
        id: text('The key.'),
        name: text('Its name as it is, written by a stranger.'),
        original_name: text('Its name before Keywarden renamed it.'),
      },
      { description: 'A key.' },
    ),
    Type.Object(
      { group: text('The keys of a policy that counts them together: metadata.team=ml.') },
      { description: 'Several keys together.' },
    ),
  ],
  { description: 'Whom it is about.' },
);

const spend = Type.Object(
  {
    kind: Type.Literal('spend'),
    measure: choice(['cost', 'tokens', 'requests'], 'Of what the amounts are; cost is in US dollars.'),
    level: Type.Object(
      {
        low: amount('At least this much.'),
        high: orNull(amount('At most this much; null where no upper end is known.')),
      },
      { description: 'What is known of the level.' },
    ),
    limit: amount('What the level is held against.'),
    percent: Type.Integer({ description: 'level.low in percent of the limit, rounded down.' }),
    basis: choice(
      ['level', 'forecast'],
      'Whether the level is reached, or expected at the end of the period.',
    ),
    period: Type.Object(
      {
        name: text('In words: November 2026.'),
        start: orNull(instant('Null for a lifetime.')),
        end: orNull(instant('Null where none is set.')),
      },
      { description: 'The time that is counted.' },
    ),
  },
  { description: 'A level against a limit.' },
);

const deadline = Type.Object(
  {
    kind: choice(['expiry', 'idle'], 'Of which rule.'),
    deadline: instant('When the key expires, or counts as idle from.'),
    why: text('Where the deadline comes from, in words.'),
  },
  { description: 'A deadline.' },
);

const next = Type.Union(
  [
    Type.Object(
      {
        kind: Type.Literal('delete'),
        notice_seconds: count('How long the notice runs.'),
        due_at: instant('Not before this.'),
      },
      { description: 'It will be deleted.' },
    ),
    Type.Object(
      { kind: Type.Literal('rename'), to: text('The new name.') },
      { description: 'It is being renamed.' },
    ),
    Type.Object(
      {
        kind: Type.Literal('would'),
        change: choice(['rename', 'delete'], 'What is held back.'),
        because: text('Why, in words.'),
      },
      { description: 'What would be done, but is not.' },
    ),
    Type.Object(
      {
        kind: Type.Literal('step'),
        at: text('Where the next step is: 120%.'),
        does: text('What it does, in words.'),
      },
      { description: 'The next step of the policy.' },
    ),
  ],
  { description: 'One thing that is to come.' },
);

const event = <const K extends string, P extends TProperties>(kind: K, facts: P, description: string) =>
  Type.Object({ kind: Type.Literal(kind), event: Type.Object(facts) }, { description });
const step = { step: count('Counted from 1.', 1), of: count('How many steps there are.', 1) };
const because = { because: text('Why, in words.') };

const happened = Type.Union([
  event('step', { ...step, repeated: Type.Boolean({ description: 'Said again.' }) }, 'A step is reached.'),
  event('notice', { ...step, notice_seconds: count('How long the notice runs.') }, 'It will be deleted.'),
  event('deleted', { notice_accepted_at: instant('When a channel took its notice.') }, 'It was deleted.'),
  event('cancelled', because, 'It will not be deleted after all.'),
  event('vetoed', { by: text('Who stopped it, in words.') }, 'A person stopped the deletion.'),
  event(
    'held',
    {
      ...because,
      announced_for: instant('When its notice ran out.'),
      not_before: orNull(instant('When the limit allows it at the soonest; null: not as it stands.')),
    },
    'It is not deleted yet: a limit holds it.',
  ),
  event(
    'failed',
    { change: choice(['rename', 'restore', 'delete'], 'What was tried.'), ...because },
    'A change failed.',
  ),
  event('uncertain', because, 'A threshold lies within what is uncertain.'),
  event('resolved', because, 'The case is over.'),
]);

/** Shared by all kinds of case, which differ in `kind` and `event`. */
const about = Type.Object({
  topic: Type.Literal('case'),
  ...ofAll,
  policy: text('Its name.'),
  description: orNull(text('Of the policy, by its author.')),
  finding: text('The case: the same in all alerts about it.'),
  subject,
  group: orNull(
    text('Where it is about one key of several that are counted together: those, whose the figures are.'),
  ),
  figures: Type.Union([spend, deadline], { description: 'The numbers it was judged by.' }),
  next: Type.Array(next, { description: 'What is to come, gravest first.' }),
});

const caseAlert = Type.Intersect([about, happened], { description: 'About a key, or several together.' });

export const webhookSchema = Type.Object(
  {
    type: Type.Literal('keywarden.alerts', { description: 'Always this.' }),
    timestamp: instant('When it was composed.'),
    data: Type.Object(
      {
        id: text('Of the message, as in the header webhook-id.'),
        headline: text('What happened, in a line; of several alerts how many of which kind.'),
        text: text('The whole message in plain text.'),
        remarks: Type.Array(Type.String(), { description: 'Why this channel stands in for others.' }),
        alerts: Type.Array(Type.Union([caseAlert, system]), {
          description: 'One, or several in a digest; none in a message that could not be put together.',
        }),
      },
      { description: 'The message.' },
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Keywarden webhook',
    description: 'What a webhook channel of Keywarden posts. Fields are only added.',
  },
);

export type WebhookBody = Static<typeof webhookSchema>;
export type WebhookAlert = WebhookBody['data']['alerts'][number];
export type WebhookSubject = Static<typeof subject>;
export type WebhookHappened = Static<typeof happened>;
export type WebhookFigures = Static<typeof about>['figures'];
export type WebhookNext = Static<typeof next>;

/** The JSON Schema as text, as `docs/webhook.schema.json` holds it. */
export function webhookSchemaText(): string {
  return `${JSON.stringify(webhookSchema, null, 2)}\n`;
}
