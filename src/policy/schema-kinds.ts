/**
 * The kinds of field of which the schema is built, each with the sentence that says what it must be.
 *
 * A choice between shapes is written as `if`/`then`/`else` rather than `anyOf`, so that a fault names
 * what is wrong in the shape that was meant.
 */
import { Type, type Static, type TObjectOptions, type TProperties, type TSchema } from 'typebox';

export const closed = <P extends TProperties>(properties: P, options: TObjectOptions) =>
  Type.Object(properties, { ...options, additionalProperties: false });

export const oneOrMany = <T extends TSchema>(item: T, description: string) =>
  Type.Unsafe<Static<T> | Static<T>[]>({
    description,
    if: { type: 'array' },
    then: { type: 'array', items: item, minItems: 1, errorMessage: 'must not be an empty list' },
    else: item,
  });

export const record = <T extends TSchema>(value: T, options: object) =>
  Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: value, ...options });

/** A branch for every field: exactly one of them must be given. */
export const exactlyOne = (...fields: string[]) => fields.map((field) => ({ required: [field] }));

export const choice = <const V extends string[]>(values: V, description: string) =>
  Type.Unsafe<V[number]>({
    type: 'string',
    enum: values,
    description,
    errorMessage: `must be ${orList(values)}`,
  });

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

export const text = (description: string) => Type.String({ description, errorMessage: 'must be text' });

export const filled = (description: string) =>
  Type.String({ minLength: 1, description, errorMessage: 'must be text, and not empty' });

export const flag = (description: string) =>
  Type.Boolean({ description, errorMessage: 'must be true or false' });

export const duration = (description: string) =>
  Type.String({
    pattern: '^[0-9]{1,9}[smhdw]$',
    description,
    errorMessage: 'must be a duration such as 90s, 15m, 24h, 7d or 2w',
  });

export const percent = (description: string) =>
  Type.String({
    pattern: '^[0-9]{1,6}(\\.[0-9]{1,4})?%$',
    description,
    errorMessage: 'must be a percentage such as 80% or 12.5%',
  });

export const zone = (description: string) =>
  Type.String({ description, errorMessage: 'must be the IANA name of a time zone, such as Europe/Berlin' });

export const mode = (description: string) => choice(['dry-run', 'alert', 'enforce'], description);

export const count = (description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    description,
    errorMessage: 'must be a whole number, 0 or more',
  });

export const wholeAmount = (description: string, alternative?: string) =>
  Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    pattern: `^(${alternative === undefined ? '' : `${alternative}|`}[1-9][0-9]{0,14})$`,
    description,
    errorMessage: `must be a whole number above zero${alternative === undefined ? '' : `, or ${alternative}`}`,
  });
