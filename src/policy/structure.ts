/** The document against the schema, with every fault in plain words. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ErrorObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { quote, type Problem } from './faults.ts';
import { nearest } from './nearest.ts';
import { child, segmentsOf } from './pointer.ts';
import type { Place, Source } from './source.ts';

/** What of a (sub)schema the messages are made from. */
interface Described {
  readonly errorMessage?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

const validate = compile();

/** A test checks the schema against its meta-schema; doing it here would double the time to start. */
function compile() {
  const quick = { meta: false, validateSchema: false, code: { optimize: false } };
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    allowUnionTypes: true,
    ...quick,
  });
  ajv.addVocabulary(['errorMessage']);
  formats.default(ajv, ['date-time']);
  return ajv.compile(committedSchema() as AnySchemaObject);
}

/**
 * The schema as it was generated from `schema.ts`. A test holds the two together; reading it back
 * leaves the generator, and the memory it takes, out of a daemon.
 */
function committedSchema(): unknown {
  return JSON.parse(readFileSync(new URL('../../policies.schema.json', import.meta.url), 'utf8'));
}

export interface Structure {
  readonly problems: readonly Problem[];
  /** Pointers of known fields that unknown ones were probably meant to be. */
  readonly misspelt: ReadonlySet<string>;
}

/** Faults of shape. A place that already has a problem gets no second one. */
export function checkStructure(source: Source): Structure {
  if (validate(source.places.get('')?.value)) return { problems: [], misspelt: new Set() };
  const errors = (validate.errors ?? []).filter((error) => !isEcho(error));
  const misspelt = new Set(errors.flatMap(meantField));
  const taken = new Set(source.problems.map((problem) => problem.pointer));
  const problems = errors
    .filter((error) => !missingFields(error).some((pointer) => misspelt.has(pointer)))
    .map((error) => problemOf(error, source))
    .filter((problem) => !taken.has(problem.pointer));
  return { problems, misspelt };
}

/** What `ajv` adds around or below a fault that is told anyway. */
function isEcho({ keyword, schemaPath, data }: ErrorObject): boolean {
  if (keyword === 'oneOf') return !isMapping(data);
  return keyword === 'if' || keyword === 'propertyNames' || /\/oneOf\/\d+\/required$/.test(schemaPath);
}

function meantField({ keyword, instancePath, params, parentSchema }: ErrorObject): string[] {
  if (keyword !== 'additionalProperties') return [];
  const name = (params as { additionalProperty: string }).additionalProperty;
  const meant = nearest(name, Object.keys((parentSchema as Described).properties ?? {}));
  return meant === null ? [] : [child(instancePath, meant)];
}

function missingFields({ keyword, instancePath, params, parentSchema }: ErrorObject): string[] {
  const names =
    keyword === 'required'
      ? [(params as { missingProperty: string }).missingProperty]
      : keyword === 'oneOf'
        ? oneOfFields(parentSchema as Described)
        : [];
  return names.map((name) => child(instancePath, name));
}

function oneOfFields(schema: Described): string[] {
  return (schema.oneOf ?? []).flatMap((branch) => branch.required);
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problemOf(error: ErrorObject, source: Source): Problem {
  const schema = (error.parentSchema ?? {}) as Described;
  const { instancePath } = error;
  const params = error.params as Readonly<Record<string, string>>;
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(child(instancePath, params['additionalProperty'] ?? ''), schema, source);
    case 'required':
      return missingField(instancePath, params['missingProperty'] ?? '', schema, source);
    case 'oneOf':
      return notExactlyOne(instancePath, schema, source);
    default:
      return wrongValue(error, schema, source);
  }
}

function unknownField(pointer: string, schema: Described, source: Source): Problem {
  const name = segmentsOf(pointer).at(-1) ?? '';
  const known = Object.keys(schema.properties ?? {});
  const meant = nearest(name, known);
  const hint =
    name === '<<' ? 'YAML 1.2 has no merge keys: write the fields out' : `known here: ${known.join(', ')}`;
  return {
    pointer,
    offset: nameOffset(source.places.get(pointer)),
    message: `unknown field ${quote(name)}`,
    hint: meant === null ? hint : `did you mean \`${meant}\`?`,
  };
}

function missingField(pointer: string, name: string, schema: Described, source: Source): Problem {
  const holder = pointer === '' ? '' : ` in ${label(pointer)}`;
  const description = schema.properties?.[name]?.description;
  return {
    pointer,
    offset: source.places.get(pointer)?.start ?? 0,
    message: `\`${name}\` is missing${holder}`,
    hint: description === undefined ? null : asHint(name, description),
  };
}

function asHint(name: string, description: string): string {
  return `\`${name}\`: ${description.charAt(0).toLowerCase()}${description.slice(1).replace(/\.$/, '')}`;
}

function notExactlyOne(pointer: string, schema: Described, source: Source): Problem {
  const place = source.places.get(pointer);
  const wanted = oneOfFields(schema);
  const given = wanted.filter((name) => source.places.has(child(pointer, name)));
  const second = source.places.get(child(pointer, given[1] ?? ''));
  const found = given.length === 0 ? 'none is given' : `${listed(given)} are given`;
  return {
    pointer,
    offset: given.length === 0 ? (place?.start ?? 0) : nameOffset(second),
    message: `${label(pointer)} needs exactly one of ${listed(wanted)}, but ${found}`,
    hint: null,
  };
}

function wrongValue(error: ErrorObject, schema: Described, source: Source): Problem {
  const isName = error.propertyName !== undefined;
  const pointer = isName ? child(error.instancePath, error.propertyName ?? '') : error.instancePath;
  const place = source.places.get(pointer);
  const expected = schema.errorMessage ?? `must be different (${error.message ?? error.keyword})`;
  const isEmpty = place?.value === null && !isName;
  return {
    pointer,
    offset: isName || isEmpty ? nameOffset(place) : (place?.start ?? 0),
    message: isEmpty ? `${label(pointer)} is empty; it ${expected}` : `${label(pointer)} ${expected}`,
    hint: suggestion(place, schema.enum),
  };
}

function suggestion(place: Place | undefined, known: readonly unknown[] | undefined): string | null {
  if (known === undefined || typeof place?.value !== 'string' || place.fromEnvironment) return null;
  const meant = nearest(place.value, known.map(String));
  return meant === null ? null : `did you mean \`${meant}\`?`;
}

function nameOffset(place: Place | undefined): number {
  return place?.nameStart ?? place?.start ?? 0;
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`;
}

/** `at`; "item 2 of `steps`"; "the file". */
function label(pointer: string): string {
  const segments = segmentsOf(pointer);
  const last = segments.at(-1);
  if (last === undefined) return 'the file';
  if (!/^\d+$/.test(last)) return quote(last);
  return `item ${String(Number(last) + 1)} of ${quote(segments.at(-2) ?? '')}`;
}
