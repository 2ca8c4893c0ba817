/** The three kinds of rule. */
import type { Measure, Window } from '../core/key.ts';
import { windows } from '../core/key.ts';
import { parseUsd } from '../core/money.ts';
import type {
  Across,
  CalendarUnit,
  ExpiryRule,
  IdleRule,
  PeriodSpec,
  Rule,
  SpendRule,
} from '../core/policy.ts';
import { durationMs, timeZone } from './compile-values.ts';
import { globMatcher } from './glob.ts';
import type { RawPolicy, RawSpend } from './schema.ts';
import { parseWeekday } from './values.ts';
import type { Report, View } from './view.ts';

type RawExpiry = NonNullable<RawPolicy['expiry']>;
type RawIdle = NonNullable<RawPolicy['idle']>;

/** Null when it has none, or more than one: which, the schema has said already. */
export function compileRule(view: View<RawPolicy>, zone: string, report: Report): Rule | null {
  const rules = [
    view.has('spend') ? compileSpend(view.at('spend'), zone, report) : null,
    view.has('expiry') ? compileExpiry(view.at('expiry'), report) : null,
    view.has('idle') ? compileIdle(view.at('idle'), report) : null,
  ].filter((rule) => rule !== null);
  return rules.length === 1 ? (rules[0] ?? null) : null;
}

function compileSpend(view: View<RawSpend>, zone: string, report: Report): SpendRule {
  const across = acrossOf(view.at('across').value ?? 'key');
  checkOwnCap(view, across, report);
  const models = view
    .at('models')
    .items()
    .map(({ value }) => value ?? '');
  const limit = compileLimit(view, report);
  const period = compilePeriod(view, timeZone(view.at('timezone'), zone, report), report);
  return {
    kind: 'spend',
    ...limit,
    period,
    across,
    signature: JSON.stringify([limit.measure, period, across, models]),
    models: models.length === 0 ? null : modelMatcher(models),
  };
}

function modelMatcher(patterns: readonly string[]): (model: string) => boolean {
  const matchers = patterns.map(globMatcher);
  return (model) => matchers.some((matches) => matches(model));
}

function compileLimit(
  view: View<RawSpend>,
  report: Report,
): { measure: Measure; limit: number | 'max_tokens' } {
  if (view.has('cost')) return { measure: 'cost', limit: costLimit(view.at('cost'), report) };
  const measure = view.has('tokens') ? 'tokens' : 'requests';
  const amount = view.at(measure).value ?? 0;
  return { measure, limit: amount === 'max_tokens' ? amount : Number(amount) };
}

/** Read from the text as written, so that no amount ever passes through binary floating point. */
function costLimit(view: View<string | number>, report: Report): number {
  if (view.value === undefined) return 0;
  const microUsd = parseUsd(typeof view.value === 'string' ? view.value : (view.place?.written ?? ''));
  if (microUsd.known && microUsd.value > 0) return microUsd.value;
  const hint = 'write plain decimals above zero, such as 20 or 19.99';
  report.fault(view, `\`cost\` cannot be ${microUsd.known ? 'zero' : `read: ${microUsd.because}`}`, hint);
  return 0;
}

function checkOwnCap(view: View<RawSpend>, across: Across, report: Report): void {
  const tokens = view.at('tokens');
  if (tokens.value !== 'max_tokens') return;
  const per = view.at('per');
  if (per.value !== undefined && per.value !== 'lifetime') {
    report.fault(
      per,
      '`tokens: max_tokens` is a cap on a lifetime',
      'write `per: lifetime`, or a number of tokens',
    );
  }
  if (across.kind !== 'key') {
    report.fault(view.at('across'), '`tokens: max_tokens` is each key’s own cap, so `across` must be `key`');
  }
}

function acrossOf(text: string): Across {
  if (text === 'selected' || text === 'account') return { kind: text };
  const prefix = 'metadata.';
  return text.startsWith(prefix) ? { kind: 'metadata', field: text.slice(prefix.length) } : { kind: 'key' };
}

function compilePeriod(view: View<RawSpend>, zone: string, report: Report): PeriodSpec {
  const per = view.at('per').value;
  const startsOn = compileStart(view, per, report);
  if (per === undefined || per === 'lifetime') return { kind: 'lifetime' };
  if (isWindow(per)) return { kind: 'rolling', window: per };
  return { kind: 'calendar', unit: per satisfies CalendarUnit, startsOn, timeZone: zone };
}

function isWindow(per: string): per is Window {
  return windows.some((window) => window === per);
}

function compileStart(view: View<RawSpend>, per: RawSpend['per'] | undefined, report: Report): number {
  const start = view.at('starts_on');
  if (start.value === undefined || per === undefined) return 1;
  if (per !== 'month' && per !== 'week') {
    report.fault(start, '`starts_on` goes only with `per: month` and `per: week`');
    return 1;
  }
  const isDayOfMonth = typeof start.value === 'number';
  if (isDayOfMonth !== (per === 'month')) {
    const wanted = per === 'month' ? 'a day from 1 to 31' : 'a weekday such as sun';
    report.fault(start, `with \`per: ${per}\`, \`starts_on\` must be ${wanted}`);
  }
  return typeof start.value === 'number' ? start.value : (parseWeekday(start.value) ?? 1);
}

function compileExpiry(view: View<RawExpiry>, report: Report): ExpiryRule {
  const maxAge = view.at('max_age');
  return {
    kind: 'expiry',
    maxAgeMs: view.has('max_age') ? durationMs(maxAge, report, '`max_age` must be above zero') : null,
    requireExpiresAt: view.at('require_expires_at').value ?? false,
  };
}

function compileIdle(view: View<RawIdle>, report: Report): IdleRule {
  return {
    kind: 'idle',
    forMs: durationMs(view.at('for'), report, '`for` must be above zero'),
  };
}
