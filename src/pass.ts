/** One pass: look at the account, decide, write the decision down, carry it out, write that down. */
import { carryOut } from './act/carry-out.ts';
import type { ActPorts, Outcome, Recheck } from './act/carry-out.ts';
import { reconcile } from './act/reconcile.ts';
import type { Alert } from './core/alert.ts';
import type { Question } from './core/evidence.ts';
import type { EpochMs, KeyId } from './core/key.ts';
import type { Call, Decision, PlannedChange, Trouble } from './core/plan.ts';
import { nearestApproach } from './core/approach.ts';
import { booksOf } from './core/books.ts';
import type { Books } from './core/books.ts';
import type { PolicyFile } from './core/policy.ts';
import type { Outlook } from './core/schedule.ts';
import type { Change, RecordEntry } from './core/state.ts';
import { tellTroubles } from './core/troubles.ts';
import type { Told } from './core/troubles.ts';
import { mostCautious } from './core/court.ts';
import type { Court } from './core/court.ts';
import { register } from './ledger/registry.ts';
import { deliberate, periodStarts } from './deliberate.ts';
import type { Deliberation, DeliberationPorts, Inquiry } from './deliberate.ts';
import { look, usageTrouble } from './ledger/look.ts';
import type { Before, Sight } from './ledger/look.ts';
import type { LastReading } from './ledger/clock.ts';
import { advanceMarks } from './ledger/marks.ts';
import { noticesMeta } from './ledger/notices.ts';
import { extend, keepRuns, sample } from './ledger/samples.ts';
import { idleSignature } from './core/mass-idle.ts';
import { isNearBoundary } from './ledger/boundaries.ts';
import { crossCheck, firstChecks } from './ledger/cross-checks.ts';
import { answeredAt, foldWindows, windowReadings } from './ledger/windows.ts';
import { forget, knowAccepted, remember, rewind } from './memory.ts';
import type { Memory } from './memory.ts';
import type { AdminWriter, OutboxItem, SteadyClock } from './ports.ts';
import { decisionEntries, eventEntry, heldKeys } from './record.ts';
import type { Store } from './store/store.ts';

export interface PassPorts extends DeliberationPorts {
  readonly clock: SteadyClock;
  readonly store: Store;
  readonly writer: AdminWriter;
  /** Whether another policy file has taken this pass's place. */
  readonly superseded: () => boolean;
  /** Aborted when the state is given up: from then on nothing may be asked of the API. */
  readonly closing: AbortSignal;
  /** Alerts to outbox items: one message a channel and recipient for each `batch`. */
  route(alerts: readonly Alert[], policy: PolicyFile, batch: string): Routed;
}

export interface Routed {
  readonly items: readonly OutboxItem[];
  readonly undeliverable: readonly {
    readonly alert: Alert;
    readonly channel: string;
    readonly because: string;
  }[];
}

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
  const batch = `pass-${String(first.at)}`;
  const commit = committer(ports, memory, policy, batch);
  if (!first.clock.trusted) return doubtedPass(ports, memory, policy, troubles, first, commit, stop);
  if (first.clock.setByMs !== 0) await followClock(ports, memory, first, first.clock.setByMs, commit);
  const sight = await settleOpen(ports, memory, policy, first, commit, stop);
  const inquiry = inquire(ports, memory, policy, sight);
  const found = await deliberate(ports, memory, policy, sight, inquiry, stop);
  const asked = found.sight.calls.length - first.calls.length;
  memory.savedCalls = Math.max(0, inquiry.spare - Math.max(0, asked - inquiry.questions.length));
  await commitSeen(ports, memory, policy, found, commit);
  const doubt = usageTrouble(found.attribution.doubt);
  const current = [...first.troubles, ...doubt, ...found.decision.troubles, ...troubles];
  const context = { now: first.at, policy, mode: found.court.mode };
  await commitTroubles(memory, context, current, () => false, commit);
  const act: ActPorts = {
    writer: ports.writer,
    clock: ports.clock,
    closing: ports.closing,
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
 * it could say or remember would bear a wrong date, so nothing is.
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
  { at }: Sight,
  setByMs: number,
  commit: Commit,
): Promise<void> {
  if (setByMs < 0) await rewind(store, memory, at);
  const changes = [...memory.changes.values()].map((change) => {
    return { ...change, intentAt: change.intentAt + setByMs };
  });
  const findings = [...memory.findings.values()].flatMap((finding) => {
    if (finding.closedAt !== null) return [];
    const { fired, deletions } = finding;
    return {
      ...finding,
      fired: fired.map((one) => ({ ...one, alertedAt: one.alertedAt + setByMs })),
      deletions: deletions.map((one) => ({ ...one, announcedAt: one.announcedAt + setByMs })),
    };
  });
  const lastPassAt = Math.min(at, before(memory).lastClock?.at ?? at);
  const meta = { lastPassAt: String(lastPassAt), shrunkSince: '', massIdleSince: '' };
  const record = [{ at, kind: 'clock-set', facts: { seconds: Math.round(setByMs / 1000) } }];
  await commit({ changes, findings, meta, record, outboxLaterMs: setByMs }, []);
}

/** The account's books, as of this look. */
export function booksIn({ court }: Deliberation, { books }: Memory, { timeZone }: PolicyFile): Books {
  return booksOf(books, timeZone, court.now, court.bench.evidence);
}

export type Commit = ActPorts['commit'];

export function committer(
  ports: Pick<PassPorts, 'route' | 'store' | 'clock' | 'mode'>,
  memory: Memory,
  policy: PolicyFile,
  batch: string,
): Commit {
  return async (documents, alerts) => {
    // A dry run sends nothing, whatever was decided.
    const sends = mostCautious(policy.mode, ports.mode) !== 'dry-run';
    const routed = sends ? ports.route(alerts, policy, batch) : { items: [], undeliverable: [] };
    const lost = routed.undeliverable.map(({ alert, channel, because }): RecordEntry => {
      return {
        at: ports.clock.now(),
        kind: 'alert-undeliverable',
        facts: { alert: alert.id, channel, because },
      };
    });
    await remember(ports.store, memory, {
      ...documents,
      outbox: routed.items,
      record: [...(documents.record ?? []), ...lost],
    });
  };
}

export function before(memory: Memory): Before {
  const shrunkSince = memory.meta.get('shrunkSince');
  const doubtedSince = memory.meta.get('clockDoubtedSince');
  return {
    records: memory.records,
    living: memory.living,
    listed: memory.listed,
    attempted: attempted(memory),
    account: memory.runs.get('account'),
    lastClock: lastClock(memory),
    clockDoubtedSince: doubtedSince ? Number(doubtedSince) : null,
    shrunkSince: shrunkSince ? Number(shrunkSince) : null,
  };
}

function lastClock({ meta, monotonicMs }: Memory): LastReading | null {
  const at = meta.get('lastPassAt');
  const serverAt = meta.get('lastServerAt');
  if (at === undefined) return null;
  return { at: Number(at), serverAt: serverAt ? Number(serverAt) : null, monotonicMs };
}

/** What of the clock is remembered for the next pass. */
function clockMeta({ at, listing }: Sight): Record<string, string> {
  const { serverAt } = listing;
  return {
    lastPassAt: String(at),
    lastServerAt: serverAt === null ? '' : String(serverAt),
    clockDoubtedSince: '',
  };
}

/** Changes that may have taken effect, or may yet: a list can be older than what was done before it was asked for. */
function attempted(memory: Memory): Change[] {
  return [...memory.changes.values()].filter(
    ({ settledAt, outcome }) => settledAt === null || outcome === 'not-done',
  );
}

/** Of several attempts at one thing the last one did it. */
function toSettle(memory: Memory, sight: Sight): readonly Change[] {
  const shown = attempted(memory)
    .filter((change) => change.settledAt === null || showsLate(change, memory, sight))
    .sort((a, b) => a.intentAt - b.intentAt);
  const thing = ({ kind, keyId, to }: Change): string => JSON.stringify([kind, keyId, to]);
  return [...new Map(shown.map((change) => [thing(change), change])).values()];
}

/** A change that an earlier list did not show, and this one does. */
function showsLate(
  { outcome, kind, keyId, keyCreatedAt, to }: Change,
  memory: Memory,
  sight: Sight,
): boolean {
  const known = memory.records.get(keyId);
  if (outcome !== 'not-done' || known?.createdAt !== keyCreatedAt) return false;
  const key = sight.listing.keys.find((one) => one.id === keyId && one.createdAt === keyCreatedAt);
  if (kind === 'delete') return key === undefined && known.goneAt === null;
  // Also of a key that a list lacked in between.
  return key?.name === to && known.facts.name !== to;
}

/**
 * Changes that a crash or an unclear answer left open are settled by a list that can be trusted.
 * Resolves to the same sight with the keys as they are known afterwards.
 */
async function settleOpen(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
  commit: Commit,
  stop: AbortSignal,
): Promise<Sight> {
  if (sight.registry.doubt !== null) return sight;
  const open = toSettle(memory, sight);
  if (open.length === 0) return sight;
  const inquiry: Inquiry = { questions: [], alone: new Set(), spare: Infinity };
  const found = await deliberate(ports, memory, policy, sight, inquiry, stop);
  const court = (): Court => ({
    ...found.court,
    findings: [...memory.findings.values()],
    records: merged(found, memory),
  });
  await reconcile(open, court, { commit, clock: ports.clock });
  return { ...sight, registry: register(memory.records, sight.listing, [], () => null) };
}

/** What the program itself did since comes before what the list said. */
function merged(found: Deliberation, memory: Memory): Court['records'] {
  return { get: (id) => memory.records.get(id) ?? found.court.records.get(id) };
}

/** So many calls may be saved up for when more is to be asked. */
const mostSaved = 30;

/** Calls for what does not press: one a pass, and one a minute where passes are rarer. */
function spareCalls(memory: Memory, now: EpochMs): number {
  const last = lastClock(memory);
  const minutes = last === null ? mostSaved : Math.floor((now - last.at) / 60_000);
  return Math.min(mostSaved, memory.savedCalls + Math.max(1, minutes));
}

/**
 * So passes make three calls on average, unless something presses. Every second pass one is a key's own
 * reading, to find rows that are credited wrongly. Rows that were never checked have half of all calls.
 */
function inquire(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  sight: Sight,
): Inquiry & { /** More rows were never checked. */ readonly waiting: boolean } {
  const spare = spareCalls(memory, sight.at);
  const busy = isNearBoundary(policy.policies, sight.at, ports.pace);
  const most = busy ? 0 : Math.floor(ports.callBudget() / 2);
  const bearers = memory.trail?.lineup.bearers ?? new Map<string, number>();
  const due = firstChecks(sight.registry.live, bearers, sight.at, most + 1);
  const unchecked = due.slice(0, most);
  const turn = unchecked.length > 0 || memory.checkedLast ? [] : crossCheck(sight.registry.live);
  memory.checkedLast = turn.length > 0;
  return {
    questions: [...unchecked, ...turn],
    alone: new Set(),
    spare: spare - turn.length,
    waiting: !busy && due.length > most,
  };
}

/** Everything that the pass learnt and decided, in one transaction. */
async function commitSeen(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  found: Deliberation,
  commit: Commit,
): Promise<void> {
  const { sight, attribution, decision, court } = found;
  const records = new Map(sight.registry.changed.map((record) => [record.id, record]));
  for (const record of attribution.changed) records.set(record.id, record);
  const { usageLagMs } = ports.pace;
  const boundaries = periodStarts(policy, sight.at).flatMap((start) => [start, start + usageLagMs]);
  const created = (key: KeyId | 'account'): EpochMs =>
    key === 'account' ? 0 : (court.records.get(key)?.createdAt ?? 0);
  const taken = { sentAt: sight.at, doneAt: (key: KeyId | 'account') => answeredBy(sight, key) };
  const sampling = sample(memory.runs, attribution.counters, created, taken, boundaries);
  const extending = extend(attribution.trail.lineup, sight.at, boundaries);
  const shrunk = sight.registry.doubt === null ? '' : memory.meta.get('shrunkSince') || String(sight.at);
  await commit(
    {
      keys: [...records.values()],
      findings: decision.findings,
      samples: [...sampling.write, ...extending.write],
      record: decisionEntries(found, memory.holds),
      meta: {
        ...clockMeta(sight),
        ...noticesMeta(memory, sight, court.acceptances),
        ...idleMeta(memory, policy, decision),
        shrunkSince: shrunk,
      },
    },
    decision.alerts,
  );
  memory.monotonicMs = sight.monotonicMs;
  const doubted = learn(memory, found);
  keepRuns(memory.runs, attribution.trail.lineup, sampling.runs);
  for (const [start, marks] of memory.marks)
    if (typeof start === 'number')
      memory.marks.set(start, advanceMarks(marks, sampling.runs, start, usageLagMs));
  extending.apply();
  await restoreMarks(ports, memory, doubted);
  memory.trail = attribution.trail;
  memory.listed = attribution.trail.lineup.live;
  memory.holds = heldKeys(decision);
}

/** When the answer was there that a key's counters are of. */
function answeredBy({ readings, rowsAt, doneAt }: Sight, key: KeyId | 'account'): EpochMs {
  const own = key === 'account' ? undefined : readings.own.get(key)?.get('lifetime');
  return own === undefined ? rowsAt : (own.doneAt ?? doneAt);
}

/**
 * What this pass's windows tell of the past is remembered, for they will tell less of it later. Returns the
 * keys of which what was remembered so is no longer believed.
 */
function learn(memory: Memory, { sight, attribution }: Deliberation): ReadonlySet<KeyId> {
  const { evidence, changed, trail } = attribution;
  const { records } = sight.registry;
  const doubted = new Set(changed.flatMap(({ id, doubt }) => (doubt !== records.get(id)?.doubt ? [id] : [])));
  const before = memory.windowReadings;
  const fresh = windowReadings(trail.lineup, evidence, sight.readings);
  for (const [key, marks] of foldWindows({ marks: memory.marks, before, fresh, evidence, doubted }))
    memory.marks.set(key, marks);
  memory.windowReadings = fresh;
  for (const [question, at] of answeredAt(sight.readings, sight.at)) memory.readAt.set(question, at);
  return doubted;
}

/** Of such keys only the ledger's own samples are left, outside of the time of doubt. */
async function restoreMarks(
  { store, pace }: PassPorts,
  memory: Memory,
  doubted: ReadonlySet<KeyId>,
): Promise<void> {
  if (doubted.size === 0) return;
  for (const [start, marks] of memory.marks) {
    if (typeof start !== 'number') continue;
    const stored = await store.marks(start, pace.usageLagMs);
    const restored = new Map(marks);
    for (const id of doubted) {
      const mark = stored.get(id);
      if (mark !== undefined) restored.set(id, mark);
    }
    memory.marks.set(start, restored);
  }
}

function idleMeta(memory: Memory, policy: PolicyFile, decision: Decision): Record<string, string> {
  const judged = policy.policies.flatMap((one) => idleSignature(one) ?? []);
  const since = decision.massIdle ? memory.meta.get('massIdleSince') || String(decision.now) : '';
  return { idleJudged: JSON.stringify(judged), massIdleSince: since };
}

/** What only a pass that judged can say to be over. */
export function needsJudging(code: string): boolean {
  return !['api', 'policy-file', 'state'].includes(code);
}

/** Troubles that are new or over, told. `undecided`: those that this pass says nothing about. */
export async function commitTroubles(
  memory: Memory,
  context: Parameters<typeof tellTroubles>[3],
  troubles: readonly Trouble[],
  undecided: (code: string) => boolean,
  commit: Commit,
): Promise<void> {
  const before = memory.meta.get('troubles') ?? '{}';
  const next = tellTroubles(JSON.parse(before) as Told, troubles, undecided, context);
  const told = JSON.stringify(next.told);
  if (next.alerts.length === 0 && told === before) return;
  const record = next.alerts.map((alert): RecordEntry => {
    return { at: alert.at, kind: 'trouble', facts: { title: alert.title, text: alert.text } };
  });
  await commit({ meta: { troubles: told }, record }, next.alerts);
}

/** A change is worth its calls, also in a minute that has had its share: limits bound how many changes there are. */
const recheckCalls = 12;

/** The list and this key's usage, read afresh; the same decision, made again. */
async function recheck(
  ports: PassPorts,
  memory: Memory,
  policy: PolicyFile,
  seen: Sight,
  change: PlannedChange,
  commit: Commit,
): Promise<Recheck> {
  const signal = AbortSignal.any([ports.closing, AbortSignal.timeout(60_000)]);
  const newPolicy = { ok: false, because: 'the policy file has changed' } as const;
  if (ports.superseded()) return newPolicy;
  try {
    const again = await look(ports.reader, ports.clock, before(memory), ports.pace, signal);
    await rememberHand(memory, again, change.keyId, commit);
    const sight: Sight = { ...again, readings: { ...again.readings, windows: seen.readings.windows } };
    const why = `${change.policy}: checked afresh before the ${change.kind}`;
    const question: Question = { kind: 'key', id: change.keyId, window: null, why, excess: Infinity };
    const inquiry: Inquiry = { questions: [question], alone: new Set([change.keyId]), spare: Infinity };
    const able = { ...ports, callBudget: () => recheckCalls };
    const found = await deliberate(able, memory, policy, sight, inquiry, signal);
    const { keys, secrets } = sight.listing;
    const key = keys.find((one) => one.id === change.keyId && one.createdAt === change.keyCreatedAt);
    const unread = found.sight.readings.unanswered.has(`key ${change.keyId} lifetime`);
    if (key === undefined) return { ok: false, because: 'the key is no longer listed' };
    if (unread) return { ok: false, because: 'the key’s own usage could not be read' };
    // Also of a file that came while the API was asked.
    if (ports.superseded()) return newPolicy;
    const still = found.decision.changes.some((one) => sameChange(one, change));
    if (!still) return { ok: false, because: whyNot(found.decision, change) };
    return { ok: true, court: withFreshFigures(found, change), key, secrets, among: keys };
  } catch (error) {
    return {
      ok: false,
      because: `it could not be checked afresh: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** What a person did to the key counts, though the next list may no longer show it. */
async function rememberHand(
  memory: Memory,
  { at, clock, registry }: Sight,
  keyId: KeyId,
  commit: Commit,
): Promise<void> {
  const record = registry.changed.find(({ id }) => id === keyId);
  const before = memory.records.get(keyId)?.renamedByPersonAt ?? null;
  if (!clock.trusted || record === undefined || record.renamedByPersonAt === before) return;
  const events = registry.events.filter(({ id }) => id === keyId);
  await commit({ keys: [record], record: events.map((event) => eventEntry(at, event)) }, []);
}

/** What is told of the change is told with the numbers of the fresh look. */
function withFreshFigures({ court, decision }: Deliberation, { findingId }: PlannedChange): Court {
  const judged = decision.findings.find((one) => one.id === findingId);
  if (judged === undefined) return court;
  const findings = court.findings.map((one) =>
    one.id === findingId ? { ...one, figures: judged.figures } : one,
  );
  return { ...court, findings };
}

function sameChange(a: PlannedChange, b: PlannedChange): boolean {
  return (
    a.kind === b.kind &&
    a.keyId === b.keyId &&
    a.keyCreatedAt === b.keyCreatedAt &&
    a.findingId === b.findingId &&
    a.from === b.from &&
    a.to === b.to
  );
}

function whyNot(decision: Decision, change: PlannedChange): string {
  const held = decision.held.find(
    (one) =>
      one.findingId === change.findingId &&
      one.kind === change.kind &&
      one.subject.kind === 'key' &&
      one.subject.id === change.keyId,
  );
  return held === undefined ? 'checked afresh, it is no longer asked for' : held.detail;
}
