/**
 * Deciding with as few calls as the decision needs: judge by what is known, ask only for what would
 * change the verdict, and judge again.
 */
import { decide } from './core/decide.ts';
import type { Court } from './core/court.ts';
import { inOrder, mostCautious } from './core/court.ts';
import { caseKey } from './core/judgement.ts';
import { questionKey } from './core/evidence.ts';
import type { Question } from './core/evidence.ts';
import type { EpochMs, KeyId } from './core/key.ts';
import { periodAt } from './core/periods.ts';
import type { Decision } from './core/plan.ts';
import type { Mode, PolicyFile } from './core/policy.ts';
import type { KeyRecord } from './core/state.ts';
import { attribute } from './ledger/attribution.ts';
import type { Attribution } from './ledger/attribution.ts';
import { ask } from './ledger/look.ts';
import type { Sight } from './ledger/look.ts';
import { advanceMarks } from './ledger/samples.ts';
import type { Memory } from './memory.ts';
import type { AdminReader, Clock } from './ports.ts';
import type { Store } from './store/store.ts';

export interface Deliberation {
  readonly sight: Sight;
  readonly court: Court;
  readonly attribution: Attribution;
  readonly decision: Decision;
}

export interface DeliberationPorts {
  readonly reader: AdminReader;
  readonly clock: Clock;
  readonly store: Pick<Store, 'marks' | 'acceptances'>;
  readonly usageLagMs: number;
  /** How many more calls may be made now. */
  readonly callBudget: () => number;
  /** The command line's own caution; null: none. */
  readonly mode: Mode | null;
}

/** Nothing is asked for more often than this; what is still open then is uncertain. */
const maxRounds = 6;

export async function deliberate(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  first: Sight,
  extra: { readonly questions: readonly Question[]; readonly alone: ReadonlySet<KeyId> },
  signal: AbortSignal,
): Promise<Deliberation> {
  const marks = await currentMarks(ports, memory, policy, first.at);
  const acceptances = await ports.store.acceptances(noticeIds(memory));
  let sight = first;
  let budget = ports.callBudget();
  let questions = extra.questions;
  for (let round = 0; ; round += 1) {
    const asked = affordable(questions, sight, budget);
    if (asked.length > 0) sight = await ask(ports.reader, ports.clock, sight, asked, signal);
    budget -= asked.length;
    const attribution = attributeSight(memory, sight, marks, extra.alone);
    const court = assemble(ports, memory, policy, sight, attribution, acceptances);
    const decision = decide(court);
    questions = decision.questions;
    if (questions.length === 0 || budget <= 0 || round >= maxRounds)
      return { sight, court, attribution, decision };
  }
}

/** Aggregates first, for they serve every key; then the keys whose own reading is oldest. */
function affordable(questions: readonly Question[], sight: Sight, budget: number): readonly Question[] {
  if (questions.length <= 1) return questions.slice(0, Math.max(0, budget));
  const age = (question: Question): number =>
    question.kind === 'aggregate' ? -1 : (sight.registry.records.get(question.id)?.check?.at ?? 0);
  const distinct = [...new Map(questions.map((question) => [questionKey(question), question])).values()];
  return distinct.sort((a, b) => age(a) - age(b)).slice(0, Math.max(0, budget));
}

function attributeSight(
  memory: Memory,
  sight: Sight,
  marks: Court['bench']['evidence']['marks'],
  alone: ReadonlySet<KeyId>,
): Attribution {
  const { at, doneAt, readings, listing, registry } = sight;
  const listed = new Set(listing.keys.map((key) => key.id));
  const live = [...listed].flatMap((id) => registry.records.get(id) ?? []);
  return attribute({ at, doneAt, live, readings, runs: memory.runs, marks, alone });
}

function assemble(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
  attribution: Attribution,
  acceptances: ReadonlyMap<string, EpochMs>,
): Court {
  const { evidence, changed } = attribution;
  const records = withChanged(sight.registry.records, changed);
  const ordinary = inOrder([...records.values()].filter((record) => !record.facts.isAdmin));
  const live = ordinary.filter((record) => evidence.keys.has(record.id));
  const gone = ordinary.filter((record) => record.goneAt !== null);
  const findings = [...memory.findings.values()];
  return {
    now: sight.at,
    policy,
    mode: mostCautious(policy.mode, ports.mode),
    bench: {
      now: sight.at,
      live,
      gone,
      lastCounters: new Map(
        gone.flatMap(({ id }) => {
          const run = memory.runs.get(id);
          return run === undefined ? [] : [[id, run.counters] as const];
        }),
      ),
      evidence,
      open: new Map(
        findings.filter((one) => one.closedAt === null).map((one) => [caseKey(one.policy, one.subject), one]),
      ),
    },
    records,
    findings,
    changes: [...memory.changes.values()],
    acceptances,
    hold: sight.hold,
    listTrusted: sight.listDoubt === null,
    accountKeys: live.length,
  };
}

function withChanged(
  records: ReadonlyMap<KeyId, KeyRecord>,
  changed: readonly KeyRecord[],
): ReadonlyMap<KeyId, KeyRecord> {
  if (changed.length === 0) return records;
  return new Map([...records, ...changed.map((record) => [record.id, record] as const)]);
}

function noticeIds(memory: Memory): string[] {
  return [...memory.findings.values()].flatMap((finding) =>
    finding.deletions.map((one) => one.noticeAlertId),
  );
}

/** The instants that calendar periods in use began at. */
export function periodStarts(policy: PolicyFile, now: EpochMs): EpochMs[] {
  const starts = policy.policies.flatMap(({ rule }) => {
    const start =
      rule.kind === 'spend' && rule.period.kind === 'calendar' ? periodAt(rule.period, now).start : null;
    return start === null ? [] : [start];
  });
  return [...new Set(starts)].sort((a, b) => a - b);
}

/** Marks of every period in use: read from the store once, then carried on with each pass's own samples. */
async function currentMarks(
  ports: DeliberationPorts,
  memory: Memory,
  policy: PolicyFile,
  now: EpochMs,
): Promise<Court['bench']['evidence']['marks']> {
  const starts = periodStarts(policy, now);
  for (const start of memory.marks.keys()) if (!starts.includes(start)) memory.marks.delete(start);
  for (const start of starts) {
    const stored = memory.marks.get(start) ?? (await ports.store.marks(start, ports.usageLagMs));
    memory.marks.set(start, advanceMarks(stored, memory.runs, start, ports.usageLagMs));
  }
  return new Map(memory.marks);
}
