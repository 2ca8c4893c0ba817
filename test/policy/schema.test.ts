import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isSecretField } from '../../src/policy/secrecy.ts';
import { policyFileSchema, schemaText } from '../../src/policy/schema.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

type Node = Readonly<Record<string, unknown>>;

/** Every schema within this one, with its path. */
function* schemasIn(node: unknown, path = '#'): Generator<readonly [path: string, schema: Node]> {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as Node;
  yield [path, schema];
  for (const keyword of ['items', 'then', 'else', 'additionalProperties', 'propertyNames']) {
    yield* schemasIn(schema[keyword], `${path}/${keyword}`);
  }
  for (const keyword of ['properties', '$defs']) {
    for (const [name, inner] of Object.entries(schema[keyword] ?? {}))
      yield* schemasIn(inner, `${path}/${keyword}/${name}`);
  }
}

const schemas = [...schemasIn(policyFileSchema)];
const fields = schemas.filter(([path]) => /\/properties\/\w+$/.test(path));

it('is what policies.schema.json holds', () => {
  expect(read('policies.schema.json')).toBe(schemaText());
});

it('is a proper schema, strictly', () => {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
  ajv.addVocabulary(['errorMessage']);
  formats.default(ajv, ['date-time']);
  expect(() => ajv.compile(policyFileSchema)).not.toThrow();
});

it('is closed everywhere', () => {
  const open = schemas.filter(
    ([, schema]) => schema['type'] === 'object' && schema['additionalProperties'] === undefined,
  );
  expect(fields.length).toBeGreaterThan(50);
  expect(open).toEqual([]);
});

it('describes every field', () => {
  expect(
    fields.filter(([, schema]) => typeof schema['description'] !== 'string').map(([path]) => path),
  ).toEqual([]);
});

it('says in words what every value must be', () => {
  const silent = schemas.filter(
    ([, { errorMessage, type, $ref, if: choice }]) =>
      errorMessage === undefined && $ref === undefined && (type !== undefined || choice === undefined),
  );
  expect(silent.map(([path]) => path)).toEqual([]);
});

it('has patterns that take no time', () => {
  const patterns = schemas.flatMap(([, { pattern }]) =>
    typeof pattern === 'string' ? [new RegExp(pattern, 'u')] : [],
  );
  expect(patterns.length).toBeGreaterThan(8);
  const started = performance.now();
  for (const pattern of patterns) {
    for (const unit of ['0', 'a', '.', '-', 'metadata.', 'mon-', '1:', ' '])
      pattern.test(`${unit.repeat(50_000)}!`);
  }
  expect(performance.now() - started).toBeLessThan(1000);
});

it('hides the values of secret fields, and of no others', () => {
  const names = [...new Set(fields.map(([path]) => path.split('/').at(-1) ?? ''))];
  expect(names.filter(isSecretField).sort()).toEqual(['secret', 'url', 'webhook_url']);
});

describe('the example', () => {
  const example: unknown = parse(read('policies.example.yaml'));

  it('satisfies an editor', () => {
    expect(read('policies.example.yaml').split('\n')[0]).toBe(
      '# yaml-language-server: $schema=./policies.schema.json',
    );
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv, ['date-time']);
    ajv.validate(policyFileSchema, example);
    expect(ajv.errors).toBeNull();
  });

  it('uses every field', () => {
    const used = new Set<string>();
    JSON.stringify(example, (key, value: unknown) => (used.add(key), value));
    const unused = fields.map(([path]) => path.split('/').at(-1) ?? '').filter((name) => !used.has(name));
    expect(unused).toEqual([]);
  });
});
