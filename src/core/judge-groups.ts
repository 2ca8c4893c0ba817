/** Spend of groups: all selected keys, those of one metadata value, or the whole account. */
import type { Estimate, Evidence, KeyEvidence, Motive, Question } from './evidence.ts';
import { consumedLately, seriesRateOf } from './forecast.ts';
import type { Bench, Judged, Selects } from './judgement.ts';
import { whyInexact } from './judge-spend.ts';
import { accountLevel, goneLevel, keyLevel, memberLevel, spanOf, sumLevels } from './levels.ts';
import type { Span } from './levels.ts';
import type { Policy, SpendRule } from './policy.ts';
import { accountQuestions, keyQuestions } from './questions.ts';
import { atLeastProven, existingCase, judgeSpend } from './spend-case.ts';
import type { FindingSubject, KeyRecord } from './state.ts';

/** The keys of a group, and those that were. */
interface Group {
  readonly name: string;
  readonly live: readonly KeyRecord[];
  readonly gone: readonly KeyRecord[];
  /** Those of the keys that the policy may change. */
  readonly members: readonly KeyRecord[];
}

export function* judgeGroups(
  policy: Policy,
  rule: SpendRule,
  bench: Bench,
  selects: Selects,
): Generator<Judged> {
  const { limit } = rule;
  if (limit === 'max_tokens') return;
  const span = spanOf(rule.period, bench.now, bench.evidence);
  for (const group of groupsOf(rule, bench, selects)) {
    const subject: FindingSubject = { kind: 'group', group: group.name };
    const existing = existingCase(policy, subject, bench);
    const level = levelOfGroup(rule, group, bench);
    const whole = isWholeAccount(rule);
    yield judgeSpend({
      policy,
      rule,
      span,
      subject,
      members: group.members,
      level: whole ? atLeastProven(level(span), rule, span.period, existing) : level(span),
      limit,
      existing,
      why: () => (whole ? bench.evidence.account.because : groupWhy(group.live, bench.evidence)),
      ask: (motive) =>
        whole
          ? accountQuestions(span, bench.evidence, motive)
          : groupQuestions(rule, span, group.live, bench, motive),
      lately: () => consumedLately(bench, level),
      seriesRate: whole ? seriesRateOf(rule.measure, bench.evidence) : null,
      bench,
    });
  }
}

/** The account's own total says it all, deleted keys included; not how it is spread over models. */
export function isWholeAccount({ across, models }: SpendRule): boolean {
  return across.kind === 'account' && models === null;
}

export function levelOfGroup(rule: SpendRule, { live, gone }: Group, bench: Bench): (span: Span) => Estimate {
  const { evidence } = bench;
  if (isWholeAccount(rule)) return (span) => accountLevel(rule, span, evidence);
  const rest = (span: Span): Estimate[] =>
    rule.across.kind === 'account' ? [restLevel(rule, span, live, evidence)] : [];
  return (span) =>
    sumLevels([
      ...live.map((record) => memberLevel(rule, span, record, evidence)),
      ...gone.map((record) => goneLevel(rule, span, record, bench.lastCounters.get(record.id) ?? null)),
      ...rest(span),
    ]);
}

/**
 * At the most what is in the account's total and not of these keys: admin keys, and such as were never seen, use
 * models too.
 */
function restLevel(rule: SpendRule, span: Span, live: readonly KeyRecord[], evidence: Evidence): Estimate {
  const total = accountLevel(rule, span, evidence).high;
  const all = { ...rule, models: null };
  const known = sumLevels(live.map((record) => memberLevel(all, span, record, evidence)));
  const most = total === null ? null : Math.max(0, total - known.low);
  return { low: 0, high: most, likely: most };
}

/** So many keys of a group are asked about in one round, the least certain first. */
const membersAsked = 20;

/** Of those members that make the group's level uncertain. */
function groupQuestions(
  rule: SpendRule,
  span: Span,
  live: readonly KeyRecord[],
  { evidence }: Bench,
  motive: Motive,
): Question[] {
  const width = ({ low, likely }: Estimate): number => (likely === null ? Infinity : likely - low);
  const members = live.flatMap((record): { record: KeyRecord; known: KeyEvidence; width: number }[] => {
    const known = evidence.keys.get(record.id);
    if (known === undefined) return [];
    const level = keyLevel(rule, span, record, known, evidence);
    return level.high === level.low ? [] : [{ record, known, width: width(level) }];
  });
  const questions: Question[] = [];
  for (const { record, known } of members.sort((a, b) => compare(b.width, a.width))) {
    questions.push(...keyQuestions(record, span, known, evidence, rule.models !== null, motive));
    if (questions.length >= membersAsked) break;
  }
  return questions;
}

/** Infinity less itself is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function groupWhy(members: readonly KeyRecord[], evidence: Evidence): string | null {
  const reasons = members.flatMap(({ id }) => {
    const known = evidence.keys.get(id);
    const why = known === undefined ? null : whyInexact(known);
    return why === null ? [] : [why];
  });
  const [first] = reasons;
  return first === undefined
    ? null
    : `${String(reasons.length)} of ${String(members.length)} keys are unclear: ${first}`;
}

export function groupsOf(
  rule: SpendRule,
  bench: Pick<Bench, 'live' | 'gone'>,
  selects: Selects,
): readonly Group[] {
  const { across } = rule;
  const selected = (): readonly KeyRecord[] => bench.live.filter(selects);
  // Everybody's usage counts; what is done about it falls on the keys that are selected.
  if (across.kind === 'account')
    return [{ name: 'account', live: bench.live, gone: bench.gone, members: selected() }];
  if (across.kind !== 'metadata') {
    const live = selected();
    return [{ name: 'selected', live, gone: bench.gone.filter(selects), members: live }];
  }
  const groups = new Map<string, { name: string; live: KeyRecord[]; gone: KeyRecord[] }>();
  for (const side of ['live', 'gone'] as const) {
    for (const record of bench[side]) {
      const value = record.facts.metadata[across.field];
      if (!['string', 'number', 'boolean'].includes(typeof value) || !selects(record)) continue;
      const name = `metadata.${across.field}=${String(value)}`;
      const group = groups.get(name) ?? { name, live: [], gone: [] };
      group[side].push(record);
      groups.set(name, group);
    }
  }
  const named = [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return named.map((group) => ({ ...group, members: group.live }));
}
