/**
 * Whose usage is it? The aggregate is indexed by name, names collide and change. A row is credited
 * to a key only if exactly one live key bears that name, that key has borne it ever since it was
 * first seen, and no reading of the key's own has contradicted it. Every other key is read
 * individually.
 */
import { zeroCounters } from '../core/evidence.ts';
import type { Bounds, Evidence, KeyEvidence, ModelRows } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { KeyRecord, Mark, SampleRun } from '../core/state.ts';
import type { Aggregate, KeyReading } from '../ports.ts';

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
  readonly contradictions: readonly { readonly id: KeyId; readonly because: string }[];
}

export interface AttributionInput {
  /** Just before the first request, and after the last answer. */
  readonly at: EpochMs;
  readonly doneAt: EpochMs;
  /** Every key listed, admin keys included: they bear names too. */
  readonly live: readonly KeyRecord[];
  readonly readings: Readings;
  /** The newest sample run of each key, as of the pass before. */
  readonly runs: ReadonlyMap<KeyId | 'account', SampleRun>;
  readonly marks: ReadonlyMap<EpochMs, ReadonlyMap<KeyId | 'account', Mark>>;
  /** Keys about to be changed: nothing but their own readings counts. */
  readonly alone: ReadonlySet<KeyId>;
}

export function attribute(input: AttributionInput): Attribution {
  const bearers = bearersOf(input.live);
  const keys = new Map<KeyId, KeyEvidence>();
  const counters = new Map<KeyId | 'account', Counters>();
  const changed: KeyRecord[] = [];
  const contradictions: { id: KeyId; because: string }[] = [];
  for (const record of input.live) {
    const one = attributeKey(input, record, bearers.get(record.facts.name) === 1);
    keys.set(record.id, one.evidence);
    if (one.exact !== null) counters.set(record.id, one.exact);
    if (one.record !== record) changed.push(one.record);
    if (one.contradiction !== null) contradictions.push({ id: record.id, because: one.contradiction });
  }
  const account = attributeAccount(input);
  if (account.exact !== null) counters.set('account', account.exact);
  const { at, doneAt, marks, readings } = input;
  const { unanswered } = readings;
  const evidence: Evidence = { at, doneAt, keys, account: account.evidence, marks, unanswered };
  return { evidence, counters, changed, contradictions };
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

interface KeyAttribution {
  readonly evidence: KeyEvidence;
  readonly exact: Counters | null;
  readonly record: KeyRecord;
  readonly contradiction: string | null;
}

function attributeKey(input: AttributionInput, record: KeyRecord, onlyBearer: boolean): KeyAttribution {
  const { readings, runs } = input;
  const run = sameKey(runs.get(record.id), record);
  const own = readings.own.get(record.id);
  const reading = own?.get('lifetime') ?? null;
  const nameIsOwn = onlyBearer && !record.nameChanged;
  const creditable = nameIsOwn && readings.distrust === null && !input.alone.has(record.id);
  const row = creditable ? rowOf(readings.lifetime, record) : null;
  const contradiction = contradictionOf(record, run, reading, row);
  const checked = crossChecked(record, reading, row, contradiction, nameIsOwn);
  const credited = row !== null && checked.conflict === null;
  const fell = checked.conflict === ownFell;
  const exact = fell ? null : (reading ?? (credited ? row : null));
  const confirmed = !credited || checked.check?.agreed === true;
  const evidence: KeyEvidence = {
    lifetime: exact === null ? unbounded(surely(checked, run)) : { low: exact, high: exact, confirmed },
    because: exact === null ? whyUnknown(checked, onlyBearer, readings) : null,
    credited,
    windows: fell ? new Map() : windowBounds(readings, record, own, credited, confirmed),
    individual: new Set(own?.keys()),
    models: credited ? modelRows(readings, record) : { lifetime: null, windows: new Map() },
    unchangedSince: exact !== null && run?.counters.requests === exact.requests ? run.firstAt : null,
  };
  return { evidence, exact, record: used(checked, evidence, exact, run, input.at), contradiction };
}

function sameKey(run: SampleRun | undefined, record: KeyRecord): SampleRun | null {
  return run !== undefined && run.createdAt === record.createdAt ? run : null;
}

/** The aggregate's row of the key's name; a name it lacks has no usage, as far as the aggregate goes. */
function rowOf(aggregate: Aggregate | null, record: KeyRecord): Counters | null {
  if (aggregate === null) return null;
  return aggregate.rows.get(record.facts.name) ?? zeroCounters;
}

function falls(now: Counters, before: Counters): boolean {
  return (
    now.costMicroUsd < before.costMicroUsd || now.tokens < before.tokens || now.requests < before.requests
  );
}

const ownFell = 'its own counters fell';

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
    if (below(reading, row) || below(reading, sampled))
      return 'the account’s row of its name counts more than its own reading';
  }
  if (row !== null && (below(row, sampled) || below(row, check?.counters)))
    return 'the account’s row of its name counts less than the key has used';
  return null;
}

/** A reading that agrees with the row ends a conflict; one that contradicts it begins one. */
function crossChecked(
  record: KeyRecord,
  reading: KeyReading | null,
  row: Counters | null,
  contradiction: string | null,
  nameIsOwn: boolean,
): KeyRecord {
  const explained = reading !== null && (row !== null || record.conflict === ownFell);
  const stillFallen = reading === null && record.conflict === ownFell;
  const conflict = stillFallen ? ownFell : (contradiction ?? (explained ? null : record.conflict));
  const judged = explained && contradiction !== ownFell;
  const agreed = nameIsOwn && (judged ? conflict === null : record.check?.agreed === true);
  if (reading !== null) {
    const { at, costMicroUsd, tokens, requests } = reading;
    // A counter that fell is believed once it is back where it was.
    const fallen = contradiction === ownFell ? record.check?.counters : undefined;
    const counters = fallen ?? { costMicroUsd, tokens, requests };
    return { ...record, conflict, check: { at, counters, agreed } };
  }
  const lost = record.check?.agreed === true && !agreed;
  if (conflict === record.conflict && !lost) return record;
  return { ...record, conflict, check: record.check && { ...record.check, agreed } };
}

/** What the key has used at least. What a contradiction is about is not claimed. */
function surely({ check, conflict }: KeyRecord, run: SampleRun | null): Counters {
  if (check === null || conflict === ownFell) return zeroCounters;
  return conflict === null && check.agreed ? (run?.counters ?? check.counters) : check.counters;
}

const dayMs = 86_400_000;

/** The record with the latest instant after which the key was surely used, to the day. */
function used(
  record: KeyRecord,
  evidence: KeyEvidence,
  exact: Counters | null,
  run: SampleRun | null,
  at: EpochMs,
): KeyRecord {
  let after = record.usedAfter ?? record.createdAt;
  const before = after;
  // What was used before the run's end may have been reported after it.
  if (exact !== null && run !== null && exact.requests > run.counters.requests)
    after = Math.max(after, run.lastAt - dayMs);
  for (const [window, { low }] of evidence.windows) {
    if (low.requests > 0) after = Math.max(after, at - windowMs[window]);
  }
  return after - before >= dayMs ? { ...record, usedAfter: after } : record;
}

/** Counters only grow, so what was known last is a lower bound of what is not known now. */
function unbounded(low: Counters): Bounds {
  return { low, high: null, confirmed: true };
}

function whyUnknown(record: KeyRecord, onlyBearer: boolean, readings: Readings): string {
  if (readings.distrust !== null) return readings.distrust;
  if (record.conflict === ownFell) return ownFell;
  if (!onlyBearer) return 'several keys bear its name, and its own usage was not read in this pass';
  if (record.conflict !== null) return record.conflict;
  if (record.nameChanged) return 'its name was changed, and its own usage was not read in this pass';
  return 'its usage was not read in this pass';
}

function windowBounds(
  readings: Readings,
  record: KeyRecord,
  own: ReadonlyMap<Window | 'lifetime', KeyReading> | undefined,
  credited: boolean,
  confirmed: boolean,
): ReadonlyMap<Window, Bounds> {
  const result = new Map<Window, Bounds>();
  if (credited) {
    for (const [window, aggregate] of readings.windows) {
      // An aggregate without any row proves nothing about a single key.
      if (aggregate.rows.size === 0 && (readings.lifetime?.rows.size ?? 0) > 0) continue;
      const row = rowOf(aggregate, record);
      if (row !== null) result.set(window, { low: row, high: row, confirmed });
    }
  }
  for (const [window, reading] of own ?? []) {
    if (window !== 'lifetime') result.set(window, { low: reading, high: reading, confirmed: true });
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
  const lifetime =
    exact === null
      ? before === null
        ? null
        : unbounded(before)
      : { low: exact, high: exact, confirmed: true };
  const because = fell
    ? 'the account’s total fell, as it may when keys are deleted'
    : (readings.distrust ?? null);
  return { evidence: { lifetime, windows, because }, exact };
}
