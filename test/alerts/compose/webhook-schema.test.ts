import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { toWebhook } from '../../../src/alerts/compose/webhook.ts';
import { webhookSchema, webhookSchemaText } from '../../../src/alerts/compose/webhook-schema.ts';
import type { WebhookBody } from '../../../src/alerts/compose/webhook-schema.ts';
import { sampleCaseAlerts, sampleSystemAlert } from '../../../src/alerts/samples.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, spend } from '../build.ts';
import { anyCase, anySystemAlert, anyWords } from './arbitraries.ts';

function compiled(schema: object) {
  const ajv = new Ajv2020({ strict: true });
  formats.default(ajv, ['date-time']);
  return ajv.compile(schema);
}

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const published = read('docs/webhook.schema.json');
const isValid = compiled(JSON.parse(published) as object);

function bodyOf(alerts: readonly Alert[], remark: string | null = null): WebhookBody {
  const entries = alerts.map((alert) => ({ alert, remark }));
  return JSON.parse(toWebhook(compose(entries, { id: 'msg_1', now: at }))) as WebhookBody;
}

test('the published schema is the one that the types come from', () => {
  expect(published).toBe(webhookSchemaText());
});

const options = { at, timeZone: 'Europe/Berlin', channels: ['ops'] } as const;
const cases = sampleCaseAlerts(options);
const other: readonly Alert[] = [
  caseAlert({ subject: { kind: 'group', group: 'metadata.team=ml' }, description: null }),
  caseAlert({
    figures: { ...spend, measure: 'tokens', level: { low: 5, high: null }, limit: 10, periodEnd: null },
  }),
  caseAlert({ figures: { ...spend, level: { low: 42, high: 42 }, basis: 'forecast', periodStart: null } }),
];
const samples = [sampleSystemAlert(options), ...cases, ...other];

describe('what is posted keeps to it', () => {
  test.each(
    [...samples.map((alert) => [alert]), cases, samples].map((alerts) => [
      alerts.map(({ id }) => id).join(),
      alerts,
    ]),
  )('%.60s', (_ids, alerts) => {
    expect([isValid(bodyOf(alerts as readonly Alert[])), isValid.errors]).toEqual([true, null]);
  });

  test('also when the message could not be put together', () => {
    const body = bodyOf(cases);
    expect(isValid({ ...body, data: { ...body.data, alerts: [] } })).toBe(true);
  });

  test('whatever is written in it', () => {
    const alerts = fc.array(fc.oneof<fc.Arbitrary<Alert>[]>(anyCase, anySystemAlert), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(alerts, fc.option(anyWords), (some, remark) => {
        expect([isValid(bodyOf(some, remark)), isValid.errors]).toEqual([true, null]);
      }),
      { numRuns: 100 },
    );
  });

  test('and has no field that it does not describe', () => {
    const isKnown = compiled(closed(webhookSchema) as object);
    expect(samples.map((alert) => [isKnown(bodyOf([alert])), isKnown.errors])).toEqual(
      samples.map(() => [true, null]),
    );
    expect(isKnown({ ...bodyOf(cases), more: 1 })).toBe(false);
  });
});

/** The schema with every object closed to what it does not describe. */
function closed(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => closed(one, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { allOf, ...rest } = schema as { allOf?: unknown[]; properties?: unknown };
  const inner = Object.entries(rest).map(([name, value]) => [
    name,
    closed(value, isPart && name === 'anyOf'),
  ]);
  const closes = !isPart && ('properties' in rest || allOf !== undefined);
  return {
    ...Object.fromEntries(inner),
    ...(allOf && { allOf: closed(allOf, true) }),
    ...(closes && { type: 'object', unevaluatedProperties: false }),
  };
}

describe('what is wrong does not', () => {
  /** The digest of every sample with one value at a path replaced; undefined: left out. */
  function spoiled(path: string, value: unknown): unknown {
    const body = structuredClone(bodyOf(samples)) as unknown as Record<string, unknown>;
    const names = path.split('.');
    const last = names.pop() ?? '';
    const holder = names.reduce<Record<string, unknown>>(
      (found, name) => found[name] as Record<string, unknown>,
      body,
    );
    if (value === undefined) delete holder[last];
    else holder[last] = value;
    return body;
  }
  const place = (name: string): number => samples.findIndex(({ id }) => id === `sample/${name}`);
  const [spendCase, idleCase, noticeCase] = [place('higher-step'), place('idle'), place('notice')];

  test.each([
    ['type', 'other'],
    ['timestamp', 'yesterday'],
    ['data.id', undefined],
    ['data.remarks', 'none'],
    ['data.alerts.0.severity', 'grave'],
    ['data.alerts.0.topic', 'weather'],
    ['data.alerts.0.text', undefined],
    [`data.alerts.${String(spendCase)}.kind`, 'unheard-of'],
    [`data.alerts.${String(spendCase)}.finding`, null],
    [`data.alerts.${String(spendCase)}.severity`, undefined],
    [`data.alerts.${String(spendCase)}.subject.id`, undefined],
    [`data.alerts.${String(spendCase)}.event.repeated`, 'no'],
    [`data.alerts.${String(spendCase)}.figures.limit`, 20],
    [`data.alerts.${String(spendCase)}.figures.level.low`, '$21.40'],
    [`data.alerts.${String(spendCase)}.figures.percent`, 107.5],
    [`data.alerts.${String(spendCase)}.figures.period.end`, undefined],
    [`data.alerts.${String(spendCase)}.next.0.to`, undefined],
    [`data.alerts.${String(idleCase)}.figures.deadline`, 'soon'],
    [`data.alerts.${String(noticeCase)}.event`, { because: 'of another kind' }],
    [`data.alerts.${String(noticeCase)}.next.0.due_at`, 0],
  ])('%s: %j', (path, value) => {
    expect(isValid(spoiled('type', 'keywarden.alerts'))).toBe(true);
    expect(isValid(spoiled(path, value))).toBe(false);
  });
});

test('docs/alerts.md has a body that keeps to it', () => {
  const example = /```json\n([^]*?)```/.exec(read('docs/alerts.md'))?.[1] ?? '';
  expect([isValid(JSON.parse(example)), isValid.errors]).toEqual([true, null]);
});
