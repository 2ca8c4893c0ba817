/** One pass: look at the account, decide, write the decision down, carry it out, write that down. */
import { carryOut } from './act/carry-out.ts';
import type { ActPorts, Outcome } from './act/carry-out.ts';
import type { Call, Decision, Trouble } from './core/plan.ts';
import { nearestApproach } from './core/approach.ts';
import { booksOf } from './core/books.ts';
import type { Books } from './core/books.ts';
import type { PolicyFile } from './core/policy.ts';
import type { Outlook } from './core/schedule.ts';
import type { Court } from './core/court.ts';
import { deliberate } from './deliberate.ts';
import type { Deliberation, Inquiry } from './deliberate.ts';
import { look, usageTrouble } from './ledger/look.ts';
import type { Sight } from './ledger/look.ts';
import { forget, knowAccepted, rewind } from './memory.ts';
import type { Memory } from './memory.ts';
import type { PassPorts } from './pass/ports.ts';
import type { Commit } from './pass/commit.ts';
import { commitTroubles, committer, needsJudging } from './pass/commit.ts';
import { before } from './pass/before.ts';
import { keepingHands, rememberHands } from './pass/hands.ts';
import { settleOpen } from './pass/open-changes.ts';
import { inquire } from './pass/inquire.ts';
import { commitSeen } from './pass/learn.ts';
import { recheck } from './pass/recheck.ts';

export interface PassReport extends Outlook {
  readonly decision: Decision;
  /** What the decision was made with. */
  readonly court: Court;
  readonly outcomes: readonly Outcome[];
  readonly calls: readonly Call[];
  readonly keys: number;
  readonly hold: string | null;
  readonly contradictions: number;
  readonly books: Books;
}

/** Rejects with an `AdminApiError` when the list cannot be read, and with a `StoreError`. */
export async function pass(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  /** Troubles known from elsewhere: a policy file that does not load, say. */
  troubles: readonly Trouble[],
  stop: AbortSignal,
): Promise<PassReport> {
  await knowAccepted(ports.store, memory);
  const first = await look(ports.reader, ports.clock, before(memory), ports.pace, stop);
  // What is told in a pass goes out when it is over, as one message for each channel.
  memory.openBatch = `pass-${String(first.at)}`;
  try {
    return await passOn(ports, memory, policy, troubles, first, stop);
  } finally {
    memory.openBatch = null;
  }
}

async function passOn(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  troubles: readonly Trouble[],
  first: Sight,
  stop: AbortSignal,
): Promise<PassReport> {
  const batch = `pass-${String(first.at)}`;
  const commit = committer(ports, memory, policy, batch);
  if (!first.clock.trusted) return doubtedPass(ports, memory, policy, troubles, first, commit, stop);
  if (first.clock.setByMs !== 0) await followClock(ports, memory, first, first.clock.setByMs, commit);
  // What is told from here on is dated by this look.
  memory.lookedAt = { at: first.at, monotonicMs: first.monotonicMs };
  // What was done before a dry run began is told after it, for it would not be found out again.
  const kept = committer(ports, memory, policy, batch, { keeps: true });
  const settling = settleOpen(ports, memory, policy, first, kept, stop);
  const sight = await keepingHands(memory, first, commit, settling);
  const inquiry = inquire(ports, memory, policy, sight);
  const deliberating = deliberate(ports, memory, policy, sight, inquiry, stop);
  const found = await keepingHands(memory, sight, commit, deliberating);
  const asked = found.sight.calls.length - first.calls.length;
  memory.savedCalls = Math.max(0, inquiry.spare - Math.max(0, asked - inquiry.questions.length));
  await keepingHands(memory, sight, commit, commitSeen(ports, memory, policy, found, commit));
  const doubt = usageTrouble(found.attribution.doubt);
  const current = [...first.troubles, ...doubt, ...found.decision.troubles, ...troubles];
  const context = { now: first.at, policy, mode: found.court.mode };
  await commitTroubles(memory, context, current, () => false, commit);
  const act: ActPorts = {
    writer: ports.writer,
    clock: ports.clock,
    closing: ports.closing,
    superseded: ports.superseded,
    commit,
    recheck: (change) => recheck(ports, memory, policy, found.sight, change, commit),
  };
  const outcomes = found.court.mode === 'enforce' ? await carryOut(found.decision.changes, act, stop) : [];
  forget(memory, first.at);
  return {
    at: first.at,
    decision: found.decision,
    outcomes,
    calls: found.sight.calls,
    keys: found.court.accountKeys,
    hold: found.decision.hold,
    contradictions: found.attribution.contradictions.length,
    court: found.court,
    approach: nearestApproach(policy.policies, found.court.bench),
    unasked: found.unasked || inquiry.waiting,
    rowless: found.rowless,
    books: booksIn(found, memory, policy),
  };
}

/**
 * A pass whose clock is doubted. It shows what it would decide and tells of the doubt; everything else that
 * it could say or remember would bear a wrong date, so nothing is; but for a person's hand on a key.
 */
async function doubtedPass(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  troubles: readonly Trouble[],
  sight: Sight,
  commit: Commit,
  stop: AbortSignal,
): Promise<PassReport> {
  const inquiry: Inquiry = { questions: [], alone: new Set(), spare: 0 };
  const unasking = { ...ports, callBudget: () => 0 };
  const found = await deliberate(unasking, scratch(memory), policy, sight, inquiry, stop);
  await rememberHands(memory, sight, commit);
  const since = Number(memory.meta.get('clockDoubtedSince') || Infinity);
  if (sight.at < since) await commit({ meta: { clockDoubtedSince: String(sight.at) } }, []);
  const current = [...sight.troubles, ...troubles];
  const context = { now: sight.at, policy, mode: found.court.mode };
  await commitTroubles(memory, context, current, needsJudging, commit);
  return {
    at: sight.at,
    decision: { ...found.decision, findings: [], alerts: [], changes: [] },
    outcomes: [],
    calls: found.sight.calls,
    keys: found.court.accountKeys,
    hold: found.decision.hold,
    contradictions: found.attribution.contradictions.length,
    court: found.court,
    approach: null,
    unasked: false,
    rowless: found.rowless,
    books: booksIn(found, memory, policy),
  };
}

/** For a deliberation that leaves no trace: what one learns by the way is put down elsewhere. */
function scratch(memory: Memory): Memory {
  return { ...memory, marks: new Map(), rolledAt: new Map(), settledMarks: new Set(), trail: null };
}

/**
 * The clock was set, and is right now. What it dated before and what ages since is dated anew, so that it is
 * as old as it was: the changes that limits count, notices and messages that wait, alerts that repeat.
 */
async function followClock(
  { store }: PassPorts,
  memory: Memory,
  { at, listing }: Sight,
  setByMs: number,
  commit: Commit,
): Promise<void> {
  const last = before(memory).lastClock;
  // Where no second clock tells, all of it may have passed: limits take it that none has, but nobody waits for
  // ever to be told. A notice runs by what has surely passed in any case.
  const untold = last?.monotonicMs === null && (listing.serverAt === null || last.serverAt === null);
  const laterMs = untold ? Math.min(0, setByMs) : setByMs;
  if (setByMs < 0) await rewind(store, memory, at);
  const changes = [...memory.changes.values()].map((change) => {
    return { ...change, intentAt: change.intentAt + setByMs };
  });
  const findings = [...memory.findings.values()].flatMap((finding) => {
    if (finding.closedAt !== null) return [];
    const { fired, deletions } = finding;
    return {
      ...finding,
      fired: fired.map((one) => ({ ...one, alertedAt: one.alertedAt + laterMs })),
      deletions: deletions.map((one) => ({ ...one, announcedAt: one.announcedAt + laterMs })),
    };
  });
  const lastPassAt = Math.min(at, last?.at ?? at);
  const meta = { lastPassAt: String(lastPassAt), shrunkSince: '', massIdleSince: '' };
  const record = [{ at, kind: 'clock-set', facts: { seconds: Math.round(setByMs / 1000) } }];
  await commit({ changes, findings, meta, record, outboxLaterMs: laterMs }, []);
}

/** The account's books, as of this look. */
export function booksIn({ court }: Deliberation, { books }: Memory, { timeZone }: PolicyFile): Books {
  return booksOf(books, timeZone, court.now, court.bench.evidence);
}
