import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { load } from './loading.ts';

const text = readFileSync(new URL('../../policies.example.yaml', import.meta.url), 'utf8');

it('is valid, without a warning', () => {
  const loaded = load(text);
  expect(formatFaults(loaded.ok ? loaded.warnings : loaded.faults)).toBe('');
});

it('needs no other environment than the demo has', () => {
  const asked = new Set<string>();
  load(text, (name) => {
    asked.add(name);
    return { value: name === 'SMTP_URL' ? 'smtp://127.0.0.1:2525' : 'http://127.0.0.1:8081/' };
  });
  expect([...asked].sort()).toEqual(['PAGER_SECRET', 'PAGER_URL', 'SLACK_WEBHOOK_URL', 'SMTP_URL']);
});

it('shows every kind of rule, of scope and of period', () => {
  const loaded = load(text);
  const rules = loaded.ok ? loaded.policy.policies.map((policy) => policy.rule) : [];
  const spends = rules.flatMap((rule) => (rule.kind === 'spend' ? [rule] : []));
  expect(new Set(rules.map((rule) => rule.kind))).toEqual(new Set(['spend', 'expiry', 'idle']));
  expect(new Set(spends.map((rule) => rule.across.kind))).toEqual(
    new Set(['key', 'metadata', 'selected', 'account']),
  );
  expect(new Set(spends.map((rule) => rule.period.kind))).toEqual(
    new Set(['calendar', 'rolling', 'lifetime']),
  );
  expect(new Set(spends.map((rule) => rule.measure))).toEqual(new Set(['cost', 'tokens', 'requests']));
});
