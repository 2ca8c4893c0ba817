/**
 * Whose usage is it? The aggregate is indexed by name, names collide and change. A row is credited
 * to a key only if exactly one live key bears that name, that key has borne it ever since it was
 * first seen, and no reading of the key's own has contradicted it. Every other key is read
 * individually; between two readings the account's total bounds what it can have used.
 */
import { falls, zeroCounters } from '../core/evidence.ts';
import type { Bounds, Evidence, KeyEvidence, ModelRows } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { Aggregate, KeyReading } from '../ports.ts';
import { quicken } from './pace.ts';
import type { Paces } from './pace.ts';
import { createRest } from './rest.ts';
import type { Rest, RestLedger } from './rest.ts';

/** The raw answers of one pass. */
export interface Readings {
  readonly lifetime: Aggregate | null;
  /** Why the aggregate could not be had, or cannot be believed; null: it can. */
  readonly distrust: string | null;
  readonly windows: ReadonlyMap<Window, Aggregate>;
  readonly own: ReadonlyMap<KeyId, ReadonlyMap<Window | 'lifetime', KeyReading>>;
  readonly unanswered: ReadonlySet<string>;
}

export interface Attribution {
  readonly evidence: Evidence;
  /** Lifetime counters that are certain enough to keep. */
  readonly counters: ReadonlyMap<KeyId | 'account', Counters>;
  /** Records whose cross-check or conflict has changed. */
  readonly changed: readonly KeyRecord[];
  readonly contradictions: readonly Contradiction[];
  /** Why the aggregate as a whole is not believed, found by comparing it with the ledger; null: it is. */
  readonly doubt: string | null;
  readonly rest: Rest | null;
  readonly paces: Paces;
}

export interface Contradiction {
  readonly id: KeyId;
  readonly because: string;
}

export interface AttributionInput {
  /** Just before the first request, and after the last answer. */
  readonly at: EpochMs;
  readonly doneAt: EpochMs;
  /** Every key listed, admin keys included: they bear names too. */
  readonly live: readonly KeyRecord[];
  /** Keys that are gone, but some of whose usage may still be unseen. */
  readonly leaving?: readonly KeyRecord[];
  readonly readings: Readings;
  /** The newest sample run of each key, as of the pass before. */
  readonly runs: ReadonlyMap<KeyId | 'account', SampleRun>;
  readonly marks: Evidence['marks'];
  readonly readAt?: Evidence['readAt'];
  /** Keys about to be changed: nothing but their own readings counts. */
  readonly alone: ReadonlySet<KeyId>;
  /** No pass was made for so long that keys may have come and gone unseen, and their usage with them. */
  readonly away?: boolean;
  /** Whether any policy asks for usage by model. */
  readonly models?: boolean;
  /** As the pass before left them. */
  readonly rest?: Rest;
  readonly paces?: Paces;
}

export function attribute(input: AttributionInput): Attribution {
  const bearers = bearersOf(input.live);
  const rest = createRest(input.rest ?? null, input.runs);
  const seen = input.live.map((record) => see(input, record, bearers.get(record.facts.name) === 1, rest));
  const doubt = input.readings.distrust === null ? doubtOf(input, seen) : null;
  if (doubt !== null)
    return { ...attribute({ ...input, readings: { ...input.readings, distrust: doubt } }), doubt };
  const account = attributeAccount(input);
  rest.close(
    account.exact,
    (input.leaving ?? []).filter(({ unseen }) => unseen === undefined),
  );
  return assemble(input, seen, account, rest);
}

function assemble(
  input: AttributionInput,
  seen: readonly Seen[],
  account: { readonly evidence: Evidence['account']; readonly exact: Counters | null },
  rest: RestLedger,
): Attribution {
  const keys = new Map<KeyId, KeyEvidence>();
  const counters = new Map<KeyId | 'account', Counters>();
  const changed: KeyRecord[] = [];
  const contradictions: Contradiction[] = [];
  const paces = quicken(input.paces ?? new Map(), input.at);
  for (const one of seen) {
    const { record, before } = one;
    const lifetime = lifetimeOf(one, rest);
    const sampled = one.sampled ?? pinned(lifetime);
    const pace = paces.of(record.id, one.run, sampled);
    const evidence = evidenceOf(input, one, { lifetime, sampled, pace });
    const updated = used(record, evidence, sampled, one.run, input.at);
    keys.set(record.id, evidence);
    if (sampled !== null) counters.set(record.id, sampled);
    if (updated !== before) changed.push(updated);
    if (one.contradiction !== null) contradictions.push({ id: record.id, because: one.contradiction });
  }
  if (account.exact !== null) counters.set('account', account.exact);
  for (const record of input.leaving ?? []) changed.push(rest.leave(record, input.at));
  const accountPace = paces.of('account', input.runs.get('account') ?? null, account.exact);
  const { at, doneAt, marks, readings } = input;
  const evidence: Evidence = {
    at,
    doneAt,
    keys,
    account: { ...account.evidence, pace: accountPace },
    marks,
    readAt: input.readAt ?? new Map(),
    unanswered: readings.unanswered,
  };
  return {
    evidence,
    counters,
    changed,
    contradictions,
    doubt: null,
    rest: rest.next(at),
    paces: paces.next(),
  };
}

/**
 * How many keys each name may speak of: those that bear it, and those that bore it once, for their
 * usage may still be counted under it.
 */
function bearersOf(live: readonly KeyRecord[]): ReadonlyMap<string, number> {
  const bearers = new Map<string, number>();
  const add = (name: string): void => void bearers.set(name, (bearers.get(name) ?? 0) + 1);
  for (const { facts, originalName, standing, formerNames = [] } of live) {
    add(facts.name);
    if (standing.length + formerNames.length === 0) continue;
    const former = new Set([originalName, ...standing.map(({ from }) => from), ...formerNames]);
    former.delete(facts.name);
    former.forEach(add);
  }
  return bearers;
}

/** What the answers say of one key. */
interface Seen {
  /** As it was before, and with what the answers say of its cross-check. */
  readonly before: KeyRecord;
  readonly record: KeyRecord;
  readonly run: SampleRun | null;
  readonly own: ReadonlyMap<Window | 'lifetime', KeyReading> | undefined;
  /** Certain to be the key's own. */
  readonly exact: Counters | null;
  /** The row of its name, where that is credited to it. */
  readonly row: Counters | null;
  /** What the ledger keeps: also of a row not yet checked, for a check will speak for its past as well. */
  readonly sampled: Counters | null;
  readonly onlyBearer: boolean;
  readonly contradiction: string | null;
}

function see(input: AttributionInput, before: KeyRecord, onlyBearer: boolean, rest: RestLedger): Seen {
  const { readings } = input;
  const run = sameKey(input.runs.get(before.id), before);
  const own = readings.own.size === 0 ? undefined : readings.own.get(before.id);
  const reading = own?.get('lifetime') ?? null;
  const nameIsOwn = onlyBearer && !before.nameChanged;
  const creditable = nameIsOwn && readings.distrust === null && !input.alone.has(before.id);
  const found = creditable ? rowOf(readings.lifetime, before) : null;
  const contradiction = contradictionOf(before, run, reading, found);
  const record = crossChecked(input, before, { run, reading, row: found, contradiction, nameIsOwn });
  const row = record.conflict === null ? found : null;
  const fell = record.conflict === ownFell;
  const exact = fell ? null : (reading ?? (record.check?.agreed === true ? row : null));
  const sampled = fell ? null : (reading ?? row);
  if (row !== null) rest.explain(run, row);
  else if (reading !== null) rest.read(before.id, reading);
  return { before, record, run, own, exact, row, sampled, onlyBearer, contradiction };
}

function sameKey(run: SampleRun | undefined, record: KeyRecord): SampleRun | null {
  return run !== undefined && run.createdAt === record.createdAt ? run : null;
}

/** The aggregate's row of the key's name; a name it lacks has no usage, as far as the aggregate goes. */
function rowOf(aggregate: Aggregate | null, record: KeyRecord): Counters | null {
  if (aggregate === null) return null;
  return aggregate.rows.get(record.facts.name) ?? zeroCounters;
}

const ownFell = 'its own counters fell';
const rowCountsMore = 'the account’s row of its name counts more than its own reading';
const rowCountsLess = 'the account’s row of its name counts less than the key has used';

/**
 * What cannot be: a reading below what the key was known to have used, for counters only grow; a row
 * that counts more than the key's own reading taken after it, for it then holds someone else's usage
 * too; a row that counts less than the key was known to have used.
 */
function contradictionOf(
  { check }: KeyRecord,
  run: SampleRun | null,
  reading: Counters | null,
  row: Counters | null,
): string | null {
  const sampled = run?.counters ?? null;
  const below = (one: Counters, other: Counters | null | undefined): boolean =>
    other !== null && other !== undefined && falls(one, other);
  if (reading !== null) {
    if (below(reading, check?.counters) || (check?.agreed && below(reading, sampled))) return ownFell;
    // Without a check of the row, a sample that is above the key's own reading came from the row.
    if (below(reading, row) || below(reading, sampled)) return rowCountsMore;
  }
  return row !== null && (below(row, sampled) || below(row, check?.counters)) ? rowCountsLess : null;
}

/** An aggregate that counts less than before for so many keys at once is not believed for any. */
const shrunkPart = 0.2;
const shrunkKeys = 3;

function doubtOf({ runs }: AttributionInput, seen: readonly Seen[]): string | null {
  const less = seen.filter(({ contradiction }) => contradiction === rowCountsLess).length;
  if (less < shrunkKeys) return null;
  const spent = seen.filter(({ record }) => (runs.get(record.id)?.counters.requests ?? 0) > 0).length;
  if (less <= spent * shrunkPart) return null;
  return `the account’s usage shrank: it counts less than before for ${String(less)} of ${String(spent)} keys`;
}

interface Answers {
  readonly run: SampleRun | null;
  readonly reading: KeyReading | null;
  readonly row: Counters | null;
  readonly contradiction: string | null;
  readonly nameIsOwn: boolean;
}

/** A reading that agrees with the row ends a conflict; one that contradicts it begins one. */
function crossChecked(input: AttributionInput, record: KeyRecord, answers: Answers): KeyRecord {
  const { reading, row, contradiction, nameIsOwn } = answers;
  if (reading === null && contradiction === null && record.conflict === null)
    return stillChecked(record, answers, input.away ?? false);
  const explained = reading !== null && (row !== null || record.conflict === ownFell);
  const stillFallen = reading === null && record.conflict === ownFell;
  const conflict = stillFallen ? ownFell : (contradiction ?? (explained ? null : record.conflict));
  // Samples from before its end may hold what was in conflict.
  const ended = record.conflict !== null && conflict === null ? { doubtedUntil: input.at } : {};
  const judged = explained && contradiction !== ownFell;
  const agreed = nameIsOwn && (judged ? conflict === null : record.check?.agreed === true);
  if (reading !== null) {
    const { at, costMicroUsd, tokens, requests } = reading;
    // A counter that fell is believed once it is back where it was.
    const fallen = contradiction === ownFell ? record.check?.counters : undefined;
    const counters = fallen ?? { costMicroUsd, tokens, requests };
    return { ...record, ...ended, conflict, check: { at, counters, agreed } };
  }
  const lost = record.check?.agreed === true && !agreed;
  if (conflict === record.conflict && !lost) return record;
  return { ...record, ...ended, conflict, check: record.check && { ...record.check, agreed } };
}

/**
 * A check speaks for the row for as long as nobody else bears its name. After a while in which that could
 * not be seen, it speaks for a row that has not moved; a row that has may have been moved by someone else.
 */
function stillChecked(record: KeyRecord, { run, row, nameIsOwn }: Answers, away: boolean): KeyRecord {
  const { check } = record;
  if (check?.agreed !== true) return record;
  const moved = away && row !== null && (run === null || falls(run.counters, row));
  if (nameIsOwn && !moved) return record;
  // What it had used for certain when the check last spoke for it.
  return { ...record, check: { ...check, counters: run?.counters ?? check.counters, agreed: false } };
}

/** What the key has used at least. What a contradiction is about is not claimed. */
function surely({ check, conflict }: KeyRecord, run: SampleRun | null): Counters {
  if (check === null || conflict === ownFell) return zeroCounters;
  return conflict === null && check.agreed ? (run?.counters ?? check.counters) : check.counters;
}

const noWindows: ReadonlyMap<Window, Bounds> = new Map();
const noneIndividual: ReadonlySet<Window | 'lifetime'> = new Set();
const noModels: KeyEvidence['models'] = { lifetime: null, windows: new Map() };

function evidenceOf(
  input: AttributionInput,
  one: Seen,
  { lifetime, sampled, pace }: Pick<KeyEvidence, 'lifetime' | 'pace'> & { readonly sampled: Counters | null },
): KeyEvidence {
  const { readings } = input;
  const { record, run, own, exact, row } = one;
  const credited = row !== null;
  return {
    lifetime,
    because: sampled === null ? whyUnknown(record, one.onlyBearer, readings) : null,
    credited,
    checked: exact !== null || (!credited && record.check !== null),
    windows:
      record.conflict === ownFell || (own === undefined && readings.windows.size === 0)
        ? noWindows
        : windowBounds(readings, one),
    individual: own === undefined ? noneIndividual : new Set(own.keys()),
    models: credited && input.models === true ? modelRows(readings, record) : noModels,
    unchangedSince: sampled !== null && run?.counters.requests === sampled.requests ? run.firstAt : null,
    pace,
  };
}

/** A row not yet checked holds the key's usage, and maybe someone else's; without a row, the rest bounds it. */
function lifetimeOf({ record, run, row, exact }: Seen, rest: RestLedger): Bounds {
  if (exact !== null) return { low: exact, high: exact };
  const low = surely(record, run);
  if (record.conflict === ownFell) return { low, high: null };
  return { low, high: row ?? rest.bound(record, run) };
}

/** A key that cannot have used anything since it was last read is known as if it had been read. */
function pinned({ low, high }: Bounds): Counters | null {
  return high !== null && !falls(low, high) && !falls(high, low) ? low : null;
}

const dayMs = 86_400_000;

/** The record with the latest instant after which the key was surely used, to the day. */
function used(
  record: KeyRecord,
  evidence: KeyEvidence,
  sampled: Counters | null,
  run: SampleRun | null,
  at: EpochMs,
): KeyRecord {
  let after = record.usedAfter ?? record.createdAt;
  const before = after;
  // What was used before the run's end may have been reported after it.
  if (sampled !== null && run !== null && sampled.requests > run.counters.requests)
    after = Math.max(after, run.lastAt - dayMs);
  // A row not yet checked may show someone else's use; taken for its own, the key is idle later at the worst.
  for (const [window, { low, high }] of evidence.windows) {
    if ((high ?? low).requests > 0) after = Math.max(after, at - windowMs[window]);
  }
  return after - before >= dayMs ? { ...record, usedAfter: after } : record;
}

function whyUnknown(record: KeyRecord, onlyBearer: boolean, readings: Readings): string {
  if (readings.distrust !== null) return readings.distrust;
  if (record.conflict === ownFell) return ownFell;
  if (!onlyBearer) return 'several keys bear its name, and its own usage was not read in this pass';
  if (record.conflict !== null) return record.conflict;
  if (record.nameChanged) return 'its name was changed, and its own usage was not read in this pass';
  return 'its usage was not read in this pass';
}

function windowBounds(readings: Readings, { record, own, row, exact }: Seen): ReadonlyMap<Window, Bounds> {
  const result = new Map<Window, Bounds>();
  for (const [window, aggregate] of row === null ? [] : readings.windows) {
    // An aggregate without any row proves nothing about a single key.
    if (aggregate.rows.size === 0 && (readings.lifetime?.rows.size ?? 0) > 0) continue;
    const high = rowOf(aggregate, record);
    if (high !== null) result.set(window, { low: exact === null ? zeroCounters : high, high });
  }
  for (const [window, reading] of own ?? []) {
    if (window !== 'lifetime') result.set(window, { low: reading, high: reading });
  }
  return result;
}

function modelRows(readings: Readings, record: KeyRecord): KeyEvidence['models'] {
  const none: ModelRows = new Map();
  const windows = new Map<Window, ModelRows>();
  for (const [window, aggregate] of readings.windows)
    windows.set(window, aggregate.rows.get(record.facts.name)?.models ?? none);
  return { lifetime: readings.lifetime?.rows.get(record.facts.name)?.models ?? none, windows };
}

function attributeAccount(input: AttributionInput): {
  evidence: Evidence['account'];
  exact: Counters | null;
} {
  const { readings, runs } = input;
  const windows = new Map(
    [...readings.windows].map(([window, aggregate]) => [window, aggregate.total] as const),
  );
  const before = runs.get('account')?.counters ?? null;
  const total = readings.distrust === null ? (readings.lifetime?.total ?? null) : null;
  const fell = total !== null && before !== null && falls(total, before);
  const exact = fell ? null : total;
  const because = fell
    ? 'the account’s total fell, as it may when keys are deleted'
    : (readings.distrust ?? null);
  return { evidence: { lifetime: accountBounds(exact, before), windows, because, pace: null }, exact };
}

/** Counters only grow, so what was known last is a lower bound of what is not known now. */
function accountBounds(exact: Counters | null, before: Counters | null): Bounds | null {
  if (exact !== null) return { low: exact, high: exact };
  return before === null ? null : { low: before, high: null };
}
