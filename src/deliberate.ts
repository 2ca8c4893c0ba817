/**
 * Deciding with as few calls as the decision needs: judge by what is known, ask only for what would
 * change the verdict, and judge again.
 */
import { decide } from './core/decide.ts';
import { farFromAll } from './core/approach.ts';
import { accountPeriod, accountRateOf } from './core/books.ts';
import type { Court } from './core/court.ts';
import { inOrder, mostCautious } from './core/court.ts';
import { isWholeAccount } from './core/judge-groups.ts';
import { caseKey } from './core/judgement.ts';
import type { IdleBefore } from './core/judgement.ts';
import { addQuestion } from './core/evidence.ts';
import type { Evidence, KeyEvidence, Question } from './core/evidence.ts';
import { rateWindows } from './core/forecast.ts';
import type { EpochMs, KeyId, Window } from './core/key.ts';
import { periodAt } from './core/periods.ts';
import type { Decision } from './core/plan.ts';
import type { Mode, PolicyFile } from './core/policy.ts';
import type { Pace } from './core/schedule.ts';
import type { KeyRecord } from './core/state.ts';
import { attribute } from './ledger/attribution.ts';
import type { Attribution } from './ledger/attribution.ts';
import { namesOf } from './ledger/lineup.ts';
import { ask } from './ledger/look.ts';
import type { Sight } from './ledger/look.ts';
import { boundaryQuestions, countRowless } from './ledger/boundaries.ts';
import { advanceMarks, gridOf, renewed } from './ledger/marks.ts';
import { runningSince } from './ledger/notices.ts';
import type { Memory } from './memory.ts';
import type { AdminReader, Clock } from './ports.ts';
import type { Store } from './store/store.ts';

export interface Deliberation {
  readonly sight: Sight;
  readonly court: Court;
  readonly attribution: Attribution;
  readonly decision: Decision;
  /** There was more to ask than there were calls left. */
  readonly unasked: boolean;
  /** How many keys no row speaks for. */
  readonly rowless: number;
}

export interface DeliberationPorts {
  readonly reader: AdminReader;
  readonly clock: Clock;
  readonly store: Pick<Store, 'marks'>;
  readonly pace: Pace;
  /** How many more calls may be made now. */
  readonly callBudget: () => number;
  /** The command line's own caution; null: none. */
  readonly mode: Mode | null;
}

/** What a deliberation is for, beyond the policies' own questions. */
export interface Inquiry {
  /** Put first, whatever the decision needs. */
  readonly questions: readonly Question[];
  /** Keys about to be changed: nothing but their own readings counts. */
  readonly alone: ReadonlySet<KeyId>;
  /** How many questions are put on which little hangs yet. */
  readonly spare: number;
}

/** Nothing is asked for more often than this; what is still open then is uncertain. */
const maxRounds = 6;

/** A level that may be past its threshold by a larger part than this is asked about in any case. */
const pressingExcess = 0.01;

export async function deliberate(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  first: Sight,
  inquiry: Inquiry,
  signal: AbortSignal,
): Promise<Deliberation> {
  const marks = await currentMarks(ports, memory, policy, first.at);
  const acceptances = runningSince(memory, first);
  let sight = first;
  let budget = ports.callBudget();
  let { questions, spare } = inquiry;
  for (let round = 0; ; round += 1) {
    const asked = affordable(questions, sight, round === 0 ? { budget, spare: Infinity } : { budget, spare });
    if (asked.length > 0) sight = await ask(ports.reader, ports.clock, sight, asked, signal);
    budget -= asked.length;
    if (round > 0) spare -= asked.filter((question) => !isPressing(question)).length;
    const attribution = attributeSight(memory, policy, sight, marks, inquiry.alone, ports.pace);
    const court = assemble(ports, memory, policy, sight, attribution, acceptances);
    const decision = decide(court);
    const rowless = countRowless(court.bench);
    const atBoundaries = boundaryQuestions(policy.policies, court.bench, ports.pace, rowless);
    questions = [...decision.questions, ...atBoundaries];
    const wanted = affordable(questions, sight, { budget: Infinity, spare }).length;
    if (wanted === 0 || budget <= 0 || round >= maxRounds)
      return { sight, court, attribution, decision, unasked: wanted > budget, rowless };
  }
}

function isPressing({ excess }: Question): boolean {
  return excess > pressingExcess;
}

/**
 * What is pressing, and of the rest as much as there is to spare. What cannot be had later comes first; then
 * aggregates, for they serve every key, the most pressing first; then keys. Of keys, the one whose own reading
 * is oldest.
 */
function affordable(
  questions: readonly Question[],
  sight: Sight,
  { budget, spare }: { readonly budget: number; readonly spare: number },
): readonly Question[] {
  const rank = ({ kind, nowOrNever }: Question): number => (nowOrNever ? 0 : kind === 'aggregate' ? 1 : 2);
  const age = (question: Question): number =>
    question.kind === 'aggregate' ? 0 : (sight.registry.records.get(question.id)?.check?.at ?? 0);
  const distinct = new Map<string, Question>();
  for (const question of questions) addQuestion(distinct, question);
  const ordered = [...distinct.values()].sort(
    (a, b) => rank(a) - rank(b) || age(a) - age(b) || compare(b.excess, a.excess),
  );
  let left = spare;
  const chosen = ordered.filter((question) => isPressing(question) || left-- > 0);
  return chosen.slice(0, Math.max(0, budget));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function attributeSight(
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
  marks: Evidence['marks'],
  alone: ReadonlySet<KeyId>,
  { usageLagMs }: Pace,
): Attribution {
  const { at, doneAt, readings, registry, away } = sight;
  const { live, records } = registry;
  const leaving: KeyRecord[] = [];
  for (const record of records.values()) {
    const { goneAt, unseenAt } = record;
    if (goneAt !== null && (unseenAt ?? 0) < goneAt + usageLagMs) leaving.push(record);
  }
  return attribute({
    ...{ at, doneAt, live, leaving, readings, runs: memory.runs, marks, readAt: memory.readAt, alone, away },
    lastBorneAt: readings.windows.size > 0 ? lastBorneAt(records.values()) : new Map<string, EpochMs>(),
    models: usesModels(policy),
    isFar: farFromAll(policy.policies),
    trail: memory.trail,
  });
}

/** Of each name that a key bore that is gone, when the last of these went. */
function lastBorneAt(records: Iterable<KeyRecord>): Map<string, EpochMs> {
  const last = new Map<string, EpochMs>();
  for (const record of records) {
    const { goneAt } = record;
    if (goneAt === null) continue;
    for (const name of namesOf(record)) last.set(name, Math.max(goneAt, last.get(name) ?? goneAt));
  }
  return last;
}

function assemble(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
  attribution: Attribution,
  acceptances: ReadonlyMap<string, EpochMs>,
): Court {
  const { changed, trail } = attribution;
  const { lineup } = trail;
  const evidence: Evidence = { ...attribution.evidence, accountRate: accountRateOf(memory.books, sight.at) };
  const live: KeyRecord[] = [];
  const known: (KeyEvidence | undefined)[] = [];
  for (const place of lineup.order) {
    const record = lineup.live[place];
    if (record === undefined) continue;
    live.push(record);
    known.push(lineup.evidence[place]);
  }
  const records = recordsOf(sight, changed);
  const gone = goneFrom(sight, changed);
  const findings = [...memory.findings.values()];
  return {
    now: sight.at,
    policy,
    mode: mostCautious(policy.mode, ports.mode),
    bench: {
      now: sight.at,
      live,
      known,
      record: (id) => records.get(id),
      gone,
      lastCounters: new Map(
        gone.flatMap(({ id }) => {
          const run = memory.runs.get(id);
          return run === undefined ? [] : [[id, run.counters] as const];
        }),
      ),
      evidence,
      epoch: `${policy.hash} ${periodStarts(policy, sight.at).join()}`,
      open: new Map(
        findings.filter((one) => one.closedAt === null).map((one) => [caseKey(one.policy, one.subject), one]),
      ),
      idleBefore: idleBefore(memory, sight.away),
    },
    records,
    findings,
    changes: [...memory.changes.values()],
    acceptances,
    hold: sight.hold ?? attribution.doubt,
    listTrusted: sight.registry.doubt === null,
    accountKeys: live.length,
  };
}

/** Ordinary keys that are gone, as they are known now. */
function goneFrom({ registry }: Sight, changed: readonly KeyRecord[]): KeyRecord[] {
  const newest = new Map(changed.map((record) => [record.id, record]));
  const gone: KeyRecord[] = [];
  for (const record of registry.records.values())
    if (record.goneAt !== null && !record.facts.isAdmin) gone.push(newest.get(record.id) ?? record);
  return inOrder(gone);
}

function recordsOf({ registry }: Sight, changed: readonly KeyRecord[]): Court['records'] {
  const newest = new Map(changed.map((record) => [record.id, record]));
  return { get: (id) => newest.get(id) ?? registry.records.get(id) };
}

function idleBefore({ meta }: Memory, away: boolean): IdleBefore {
  const judged = JSON.parse(meta.get('idleJudged') || '[]') as string[];
  const since = meta.get('massIdleSince');
  return { judgedBy: new Set(away ? [] : judged), massSince: since ? Number(since) : null };
}

export function usesModels({ policies }: PolicyFile): boolean {
  return policies.some(({ rule }) => rule.kind === 'spend' && rule.models !== null);
}

/** A step goes by the forecast of what the vendor's time series tells of: the whole account's tokens or requests. */
export function forecastsBySeries({ policies }: PolicyFile): boolean {
  return policies.some(
    ({ rule, steps }) =>
      rule.kind === 'spend' &&
      rule.measure !== 'cost' &&
      isWholeAccount(rule) &&
      steps.some(({ basis }) => basis === 'forecast'),
  );
}

/** The instants that calendar periods in use began at; the month of the account's own books is always in use. */
export function periodStarts(policy: PolicyFile, now: EpochMs): EpochMs[] {
  const starts = policy.policies.flatMap(({ rule }) => {
    const start =
      rule.kind === 'spend' && rule.period.kind === 'calendar' ? periodAt(rule.period, now).start : null;
    return start === null ? [] : [start];
  });
  const month = periodAt(accountPeriod(policy.timeZone), now).start;
  return [...new Set(month === null ? starts : [...starts, month])].sort((a, b) => a - b);
}

/** The rolling windows that policies measure by, and those that a forecast takes its rates from. */
export function rollingWindows(policy: PolicyFile): Window[] {
  const used = new Set<Window>();
  for (const { rule, steps } of policy.policies) {
    if (rule.kind !== 'spend') continue;
    if (rule.period.kind === 'rolling') used.add(rule.period.window);
    if (steps.some(({ basis }) => basis === 'forecast')) rateWindows.forEach((window) => used.add(window));
  }
  return [...used];
}

/** Marks of every period in use: read from the store, then carried on with each pass's own samples. */
async function currentMarks(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  now: EpochMs,
): Promise<Evidence['marks']> {
  const { usageLagMs } = ports.pace;
  const lastPassAt = Number(memory.meta.get('lastPassAt') ?? 0);
  const starts = periodStarts(policy, now);
  const rolling = rollingWindows(policy);
  const inUse = new Set<EpochMs | Window>([...starts, ...rolling]);
  for (const key of memory.marks.keys()) if (!inUse.has(key)) memory.marks.delete(key);
  for (const start of memory.settledMarks) if (!inUse.has(start)) memory.settledMarks.delete(start);
  for (const start of starts) {
    const known = memory.marks.get(start);
    if (known !== undefined && memory.settledMarks.has(start)) continue;
    const stored = known ?? (await ports.store.marks(start, usageLagMs));
    memory.marks.set(start, advanceMarks(stored, memory.runs, start, usageLagMs));
    // From a pass on that came after all of it was reported, only what is new can add to them.
    if (lastPassAt >= start + usageLagMs) memory.settledMarks.add(start);
  }
  for (const window of rolling) {
    const { at, stepMs } = gridOf(window, now);
    const earlier = memory.marks.get(window);
    if (earlier !== undefined && memory.rolledAt.get(window) === at) continue;
    memory.marks.set(window, renewed(earlier, await ports.store.marks(at, stepMs + usageLagMs)));
    memory.rolledAt.set(window, at);
  }
  return new Map(memory.marks);
}
