/** Selectors, in the schema. */
import { Type, type Static } from 'typebox';
import { closed, duration, flag, oneOrMany, record } from './schema-kinds.ts';

const scalar = Type.Unsafe<string | number | boolean>({
  type: ['string', 'number', 'boolean'],
  errorMessage: 'must be text, a number, true or false (or a list of these)',
});

const selectorFields = {
  name: Type.Optional(
    oneOrMany(
      Type.String({ errorMessage: 'must be text; put it in quotes if it looks like a number' }),
      "The key's original name matches this pattern (`*` any text, `?` any one character; case-sensitive), or one of a list.",
    ),
  ),
  metadata: Type.Optional(
    record(oneOrMany(scalar, 'A value or pattern, or a list of them; "*" means present.'), {
      minProperties: 1,
      description:
        'Each named metadata value equals, or matches, what is given. Missing metadata never matches.',
      errorMessage: 'must name at least one metadata value, as in { plan: free }',
    }),
  ),
  expires: Type.Optional(flag('Whether the key has `expires_at`.')),
  token_limit: Type.Optional(flag('Whether the key has `max_tokens`.')),
  chat: Type.Optional(flag('Whether it is a chat key.')),
  older_than: Type.Optional(duration('Created longer ago than this.')),
};

/** Fields of a selector as written; all given must hold. */
export type RawSelector = { [K in keyof typeof selectorFields]?: Static<(typeof selectorFields)[K]> } & {
  not?: RawSelector | RawSelector[];
};

export const selectorRef = Type.Unsafe<RawSelector>({ $ref: '#/$defs/selector' });

export const selector = closed(
  {
    ...selectorFields,
    not: Type.Optional(oneOrMany(selectorRef, 'The selector under it (of a list: every one) does not hold.')),
  },
  {
    minProperties: 1,
    description: 'Which keys: all given fields must hold.',
    errorMessage: 'must have at least one field, such as name or metadata; every key is written `all`',
  },
);

export const all = Type.Literal('all', {
  errorMessage: 'must be `all` or fields such as { name: "User *" }',
});

export const selection = (description: string) =>
  Type.Unsafe<'all' | RawSelector | RawSelector[]>({
    description,
    if: { type: 'string' },
    then: all,
    else: oneOrMany(selectorRef, description),
  });
