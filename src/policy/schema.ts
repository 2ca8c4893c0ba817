/**
 * The shape of the policy file, once: the JSON Schema that editors and `ajv` use, and the static
 * types of the raw document. `errorMessage` is shown by editors and by `keywarden validate` alike.
 * What a schema cannot say in plain words (steps in order, known channels, ...) is checked in `load.ts`
 * and its neighbours.
 */
import { Type, type Static } from 'typebox';
import { channel } from './schema-channels.ts';
import { choice, closed, count, filled, mode, oneOrMany, record, text, zone } from './schema-kinds.ts';
import { policy, type spend, type step } from './schema-policies.ts';
import { all, selection, selector, selectorRef, type RawSelector } from './schema-selectors.ts';

export type { RawSelector };

const changeLimits = (description: string) =>
  closed(
    {
      per_run: Type.Optional(count('At most this many in one pass; 0 means never.')),
      per_day: Type.Optional(count('At most this many in any 24 hours; 0 means never.')),
      percent: Type.Optional(
        Type.Number({
          minimum: 0,
          maximum: 100,
          description:
            "At most this share of the account's keys in any 24 hours, but at least one; 0 means never.",
          errorMessage: 'must be a number from 0 to 100, without a percent sign',
        }),
      ),
    },
    { description, errorMessage: 'must have fields such as { per_run: 3, per_day: 10, percent: 10 }' },
  );

const silence = closed(
  {
    select: selection('Which keys it covers.'),
    until: Type.String({
      format: 'date-time',
      description: 'When it ends; at most a year ahead.',
      errorMessage: 'must be a time with a zone, such as 2026-12-01T00:00:00Z',
    }),
    suppress: Type.Optional(
      oneOrMany(choice(['alerts', 'actions'], 'What is held back.'), 'What is held back; both if left out.'),
    ),
    reason: Type.Optional(text('For people.')),
  },
  {
    description: 'Holds back alerts or actions for a time.',
    errorMessage: 'must have the fields select and until',
  },
);

export const policyFileSchema = closed(
  {
    version: Type.Literal(1, { description: 'Always 1.', errorMessage: 'must be 1' }),
    mode: Type.Optional(
      mode(
        'How far Keywarden may go. dry-run: nothing is sent or changed; alert: alerts go out; enforce: everything. dry-run if left out.',
      ),
    ),
    timezone: Type.Optional(zone('For calendar periods and hours; UTC if left out.')),
    smtp: Type.Optional(
      closed(
        {
          url: filled('smtps://user:password@host:465, best kept in the environment: ${SMTP_URL}.'),
          from: filled('The sender: "Keywarden <keywarden@example.com>".'),
        },
        {
          description: 'The mail server for e-mail channels.',
          errorMessage: 'must have the fields url and from',
        },
      ),
    ),
    channels: Type.Optional(
      record(channel, {
        propertyNames: {
          pattern: '^[A-Za-z0-9_.-]{1,64}$',
          errorMessage: 'must consist of letters, digits, hyphens, underscores and periods',
        },
        description: 'Where alerts go, by name.',
        errorMessage: 'must be a mapping from names to channels',
      }),
    ),
    protect: Type.Optional(
      Type.Array(Type.Unsafe<'all' | RawSelector>({ if: { type: 'string' }, then: all, else: selectorRef }), {
        description: 'Keys that are never renamed or deleted, whatever a policy says.',
        errorMessage: 'must be a list of selectors, if only []',
      }),
    ),
    limits: Type.Optional(
      closed(
        {
          delete: Type.Optional(changeLimits('Deletions; 3 per run, 10 per day, 10 percent if left out.')),
          rename: Type.Optional(changeLimits('Renames; 50 per run, 200 per day if left out.')),
        },
        { description: 'What one mistake may cost.', errorMessage: 'must have the fields delete or rename' },
      ),
    ),
    policies: Type.Array(policy, { description: 'The rules.', errorMessage: 'must be a list of policies' }),
    silences: Type.Optional(
      Type.Array(silence, { description: 'Holds for a time.', errorMessage: 'must be a list of silences' }),
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Keywarden policy file',
    description: 'Spend caps, expiry rules and clean-up for Tinfoil API keys.',
    errorMessage: 'must have fields, at least version and policies',
    $defs: { selector },
  },
);

export type RawPolicyFile = Static<typeof policyFileSchema>;
export type RawChannel = Static<typeof channel>;
export type RawPolicy = Static<typeof policy>;
export type RawSpend = Static<typeof spend>;
export type RawStep = Static<typeof step>;

/** The JSON Schema as text, as `policies.schema.json` holds it. */
export function schemaText(): string {
  return `${JSON.stringify(policyFileSchema, null, 2)}\n`;
}
