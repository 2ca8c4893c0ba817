import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TemplateVariables } from '../../src/core/policy.ts';
import { parseTemplate, renameProblems } from '../../src/policy/template.ts';

const variables: TemplateVariables = {
  name: 'User 12',
  metadata: {
    email: 'user12@example.com',
    seats: 3,
    trial: true,
    team: { lead: 'x' },
    nothing: null,
    'a b.c': 'odd',
  },
  policy: 'idle-keys',
  percent: '107',
  limit: '20.00',
  level: '21.40',
  period: 'month from 1 Nov 2026',
  deadline: '2026-12-01',
  id: 'k_0123456789abcdef',
};

const template = (source: string) => {
  const { template: parsed, problems } = parseTemplate(source);
  expect(problems).toEqual([]);
  return parsed;
};

describe('rendering', () => {
  it.each([
    ['plain', 'plain'],
    ['{{ name }} of {{policy}}', 'User 12 of idle-keys'],
    ['{{ level }}/{{ limit }} ({{ percent }} %)', '21.40/20.00 (107 %)'],
    ['{{ period }}, {{ deadline }}, {{ id }}', 'month from 1 Nov 2026, 2026-12-01, k_0123456789abcdef'],
    ['{{ metadata.email }} {{ metadata.seats }} {{ metadata.trial }}', 'user12@example.com 3 true'],
    ['{{ metadata.a b.c }}', 'odd'],
    ['} }} { }', '} }} { }'],
    ['', ''],
  ])('%j is %j', (source, text) => {
    expect(template(source).render(variables)).toEqual({ ok: true, text });
  });

  it.each([
    'metadata.phone',
    'metadata.team',
    'metadata.nothing',
    'metadata.constructor',
    'metadata.__proto__',
  ])('%s is missing', (name) => {
    expect(template(`a {{ ${name} }}`).render(variables)).toEqual({ ok: false, missing: name });
    expect(template(`a {{ ${name} }}`).renderName(variables)).toEqual({ ok: false, missing: name });
  });

  it('never expands what a value brings in', () => {
    const hostile = { ...variables, name: '{{ metadata.email }}', metadata: { email: '{{ name }}' } };
    expect(template('{{ name }} {{ metadata.email }}').render(hostile)).toEqual({
      ok: true,
      text: '{{ metadata.email }} {{ name }}',
    });
  });

  it('tells the variables it uses, each once', () => {
    expect(template('{{ name }} {{ metadata.email }} {{ name }}').variables).toEqual([
      'name',
      'metadata.email',
    ]);
  });
});

describe('names', () => {
  it.each([
    ['OVER BUDGET {{ name }}', 'User 12', 'OVER BUDGET User 12'],
    ['IDLE {{ name }}', 'User: <a@b>', 'IDLE User- -a-b-'],
    ['IDLE {{ name }}', 'naïve 😀😀 key', 'IDLE na-ve - key'],
    ['{{ name }}', '', 'k_0123456789abcdef'],
    ['{{ name }}', '   ', 'k_0123456789abcdef'],
    ['{{ name }}', '😀', '-'],
    ['IDLE {{ name }}', '', 'IDLE'],
    ['IDLE {{ name }}', 'x'.repeat(200), `IDLE ${'x'.repeat(95)}`],
    ['{{ name }} IDLE', 'x'.repeat(200), `${'x'.repeat(95)} IDLE`],
    ['{{ name }}-{{ name }}', 'x'.repeat(80), `${'x'.repeat(80)}-${'x'.repeat(19)}`],
  ])('%j with %j is %j', (source, name, text) => {
    expect(template(source).renderName({ ...variables, name })).toEqual({ ok: true, text });
  });

  it('are legal, whatever strangers write', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 150 }), fc.string());
    const fixed = fc.stringMatching(/^[A-Za-z0-9_. -]{0,60}$/);
    fc.assert(
      fc.property(
        fixed,
        text,
        fixed,
        fc.oneof(text, fc.double(), fc.boolean()),
        (before, name, after, email) => {
          const source = `${before}{{ name }}${after}{{ metadata.email }}`.slice(-200);
          fc.pre(renameProblems(source).length === 0);
          const rendered = template(source).renderName({ ...variables, name, metadata: { email } });
          expect(rendered.ok && rendered.text).toMatch(
            /^[A-Za-z0-9_.-]([A-Za-z0-9_. -]{0,98}[A-Za-z0-9_.-])?$/,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are the same when made of a legal name twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const once = template('{{ name }}').renderName({ ...variables, name });
        const twice = once.ok ? template('{{ name }}').renderName({ ...variables, name: once.text }) : once;
        expect(twice).toEqual(once);
      }),
    );
  });
});

describe('problems', () => {
  it.each([
    ['{{ nmae }}', 'unknown template variable `nmae`', 'did you mean `name`?'],
    [
      '{{ }}',
      'unknown template variable ``',
      'known: name, policy, percent, limit, level, period, deadline, id and metadata.NAME',
    ],
    [
      '{{ metadata }}',
      'unknown template variable `metadata`',
      'known: name, policy, percent, limit, level, period, deadline, id and metadata.NAME',
    ],
    [
      '{{ constructor }}',
      'unknown template variable `constructor`',
      'known: name, policy, percent, limit, level, period, deadline, id and metadata.NAME',
    ],
    ['{{ name', '`{{` is never closed', 'write a variable as {{ name }}'],
    ['{{ {{ name }}', '`{{` is never closed', 'write a variable as {{ name }}'],
  ])('%s', (source, message, hint) => {
    expect(parseTemplate(source).problems).toEqual([{ message, hint }]);
  });

  it('are all told', () => {
    expect(parseTemplate('{{ a1 }} {{ b2 }} {{ name }}').problems).toHaveLength(2);
  });

  it('never hang, whatever the text', () => {
    const pieces = fc.array(fc.constantFrom('{{', '}}', '{', '}', 'name', 'metadata.', ' ', 'x'), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const { template: parsed, problems } = parseTemplate(parts.join(''));
        if (problems.length === 0)
          expect(parsed.render({ ...variables, metadata: { x: 'x' } })).toBeDefined();
        else expect(problems.every(({ message }) => message !== '')).toBe(true);
      }),
    );
  });
});
