/**
 * Whose usage is it? The aggregate is indexed by name, names collide and change. A row is credited
 * to a key only if exactly one live key bears that name, that key has borne it ever since it was
 * first seen, and a reading of the key's own has proved it (`check.ts`). Every other key is read
 * individually; between two readings the account's total bounds what it can have used (`rest.ts`).
 */
import { falls, sameCounters, zeroCounters } from '../core/evidence.ts';
import type { Bounds, Evidence, KeyEvidence, ModelRows } from '../core/evidence.ts';
import { windowMs } from '../core/key.ts';
import type { Counters, EpochMs, KeyId, Window } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { Aggregate, KeyReading } from '../ports.ts';
import { contradictionOf, crossChecked, ownFell, rowCountsLess, surely } from './check.ts';
import { align, bearersOf, orderOf, placesOf, rowAt, rowPlacesOf } from './lineup.ts';
import type { Alignment, Lineup, RowPlaces } from './lineup.ts';
import { strangersOf } from './strangers.ts';
import type { Strangers } from './strangers.ts';
import { quicken } from './pace.ts';
import type { IsFar, Peaks } from './pace.ts';
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

/** What one pass leaves for the next. Nothing of it is needed: without it, a pass looks at everything anew. */
export interface Trail {
  readonly lineup: Lineup;
  readonly rest: Rest | null;
  readonly peaks: Peaks;
  readonly strangers: Strangers;
}

export interface Attribution {
  readonly evidence: Evidence;
  /** Lifetime counters that are certain, of keys about which anything is new. */
  readonly counters: ReadonlyMap<KeyId | 'account', Counters>;
  /** Records whose cross-check or conflict has changed. */
  readonly changed: readonly KeyRecord[];
  readonly contradictions: readonly Contradiction[];
  /** Why the aggregate as a whole is not believed, found by comparing it with the ledger; null: it is. */
  readonly doubt: string | null;
  readonly trail: Trail;
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
  /** Keys of which the pace is of no interest: far from every threshold. Absent: none. */
  readonly isFar?: IsFar;
  /** As the pass before left it. */
  readonly trail?: Trail | null;
}

export function attribute(input: AttributionInput): Attribution {
  const before = input.trail?.lineup ?? null;
  const alignment = align(input.live, before);
  const { bearers, disturbed } = bearersOf(input.live, before, alignment);
  const { strangers, hidden } = strangersOf(input.readings, bearers, input.trail?.strangers ?? null);
  const rest = createRest(input.trail?.rest ?? null, input.runs);
  const rows = rowPlacesOf(input.live, input.readings.lifetime?.rows ?? null, before, alignment);
  const asBefore = sameAs(input, before, alignment, rows, disturbed, hidden);
  const list: (KeyEvidence | undefined)[] = [];
  const runs: (SampleRun | null)[] = [];
  const steady: number[] = [];
  const news: Seen[] = [];
  for (let place = 0; place < input.live.length; place += 1) {
    const record = input.live[place];
    if (record === undefined) continue;
    if (before !== null && asBefore(record, place)) {
      const was = alignment.from[place] ?? place;
      list.push(before.evidence[was]);
      runs.push(before.runs[was] ?? null);
      steady.push(place);
      continue;
    }
    list.push(undefined);
    const one = see(input, record, place, bearers.get(record.facts.name) === 1, hidden, rest);
    runs.push(one.run);
    news.push(one);
  }
  const doubt = input.readings.distrust === null ? doubtOf(input, news) : null;
  if (doubt !== null)
    return { ...attribute({ ...input, readings: { ...input.readings, distrust: doubt } }), doubt };
  const account = attributeAccount(input);
  rest.close(
    account.exact,
    (input.leaving ?? []).filter(({ unseen }) => unseen === undefined),
  );
  const places = placesOf(input.live, before, alignment);
  const order = orderOf(input.live, before, alignment);
  const standing = { list, runs, steady, places, order, rows, bearers };
  return assemble(input, { standing, news, account, rest, strangers });
}

/** Whether a key was exactly known and is neither changed nor used since: then the same is known of it now. */
function sameAs(
  { readings, alone, models = false }: AttributionInput,
  before: Lineup | null,
  { from }: Alignment,
  rows: RowPlaces | null,
  disturbed: ReadonlySet<string>,
  hidden: boolean,
): (record: KeyRecord, place: number) => boolean {
  const { distrust, windows, own } = readings;
  if (before === null || rows === null || distrust !== null || windows.size > 0 || models) return () => false;
  const { live, rows: rowsBefore, evidence } = before;
  return (record, place) => {
    const was = from[place] ?? -1;
    if (live[was] !== record || before.steadfast[was] !== 1) return false;
    if (disturbed.size > 0 && disturbed.has(record.facts.name)) return false;
    if (hidden && evidence[was]?.lifetime.low.requests === 0) return false;
    if ((own.size > 0 && own.has(record.id)) || (alone.size > 0 && alone.has(record.id))) return false;
    const row = rowAt(rows, place);
    // The row of a key that was not used is as a rule the very same.
    if (rowsBefore !== null && row === rowAt(rowsBefore, was)) return true;
    return sameCounters(row, evidence[was]?.lifetime.low ?? row);
  };
}

/** Its row's counters are all that is known of the key, and they are certain. */
function isSteadfast({
  credited,
  checked,
  windows,
  individual,
  models,
  unchangedSince,
}: KeyEvidence): boolean {
  return (
    credited &&
    checked &&
    unchangedSince !== null &&
    windows === noWindows &&
    individual === noneIndividual &&
    models === noModels
  );
}

interface Parts {
  /** Where the keys stand, and what is known of those about which nothing is new. */
  readonly standing: Omit<Lineup, 'live' | 'evidence' | 'steadfast'> & {
    readonly list: (KeyEvidence | undefined)[];
  };
  readonly news: readonly Seen[];
  readonly account: { readonly evidence: Evidence['account']; readonly exact: Counters | null };
  readonly rest: RestLedger;
  readonly strangers: Strangers;
}

function assemble(input: AttributionInput, parts: Parts): Attribution {
  const { news, account, rest, strangers } = parts;
  const { list: known, ...standing } = parts.standing;
  const counters = new Map<KeyId | 'account', Counters>();
  const changed: KeyRecord[] = [];
  const contradictions: Contradiction[] = [];
  const unread: KeyRecord[] = [];
  const list = known as KeyEvidence[];
  const steadfast = new Uint8Array(list.length);
  for (const place of standing.steady) steadfast[place] = 1;
  const live = news.length === 0 ? input.live : [...input.live];
  const paces = quicken(input.trail?.peaks ?? new Map(), input.at, input.isFar);
  for (const one of news) {
    const { before, place } = one;
    const lifetime = lifetimeOf(one, rest);
    const exact = one.exact ?? pinned(lifetime);
    const evidence = evidenceOf(input, one, lifetime, exact);
    const record = used(one.record, evidence, exact, one.run, input.at);
    list[place] = evidence;
    steadfast[place] = isSteadfast(evidence) ? 1 : 0;
    if (exact !== null) counters.set(record.id, exact);
    if (exact !== null) paces.note(record.id, one.run, exact);
    if (record !== before) changed.push(record);
    if (evidence.because !== null) unread.push(record);
    if (one.contradiction !== null) contradictions.push({ id: record.id, because: one.contradiction });
    (live as KeyRecord[])[place] = record;
  }
  if (account.exact !== null) {
    counters.set('account', account.exact);
    paces.note('account', input.runs.get('account') ?? null, account.exact);
  }
  for (const record of input.leaving ?? []) changed.push(rest.leave(record, input.at));
  const { at, doneAt, marks, readings } = input;
  const evidence: Evidence = {
    ...{ at, doneAt, marks, unread, paces: paces.now(), account: account.evidence },
    keys: { get: (id) => list[standing.places.get(id) ?? -1] },
    readAt: input.readAt ?? new Map(),
    unanswered: readings.unanswered,
  };
  const lineup: Lineup = { ...standing, live, evidence: list, steadfast };
  const trail: Trail = { lineup, rest: rest.next(at), peaks: paces.next(), strangers };
  return { evidence, counters, changed, contradictions, doubt: null, trail };
}

/** What the answers say of one key. */
interface Seen {
  /** As it was before, and with what the answers say of its cross-check. */
  readonly before: KeyRecord;
  readonly record: KeyRecord;
  readonly place: number;
  readonly run: SampleRun | null;
  readonly own: ReadonlyMap<Window | 'lifetime', KeyReading> | undefined;
  /** Certain to be the key's own. */
  readonly exact: Counters | null;
  /** The row of its name, where no other key has a claim to it. */
  readonly row: Counters | null;
  readonly onlyBearer: boolean;
  readonly contradiction: string | null;
}

function see(
  input: AttributionInput,
  before: KeyRecord,
  place: number,
  onlyBearer: boolean,
  hidden: boolean,
  rest: RestLedger,
): Seen {
  const { readings, at, away = false } = input;
  const run = sameKey(input.runs.get(before.id), before);
  const own = readings.own.size === 0 ? undefined : readings.own.get(before.id);
  const reading = own?.get('lifetime') ?? null;
  const nameIsOwn = onlyBearer && !before.nameChanged;
  const creditable = nameIsOwn && readings.distrust === null && !input.alone.has(before.id);
  const found = creditable ? rowOf(readings.lifetime, before) : null;
  const answers = { at, run, reading, row: found, nameIsOwn, away, hidden };
  const contradiction = contradictionOf(before, answers);
  const record = crossChecked(before, answers, contradiction);
  const row = record.conflict === null ? found : null;
  const proved = record.check?.agreed === true ? row : null;
  const exact = record.conflict === ownFell ? null : (reading ?? proved);
  if (proved !== null) rest.explain(run, proved);
  if (reading !== null && record.conflict !== ownFell) rest.read(before.id, reading);
  return { before, record, place, run, own, exact, row, onlyBearer, contradiction };
}

function sameKey(run: SampleRun | undefined, record: KeyRecord): SampleRun | null {
  return run !== undefined && run.createdAt === record.createdAt ? run : null;
}

/** The aggregate's row of the key's name; a name it lacks has no usage, as far as the aggregate goes. */
export function rowOf(aggregate: Aggregate | null, record: KeyRecord): Counters | null {
  if (aggregate === null) return null;
  return aggregate.rows.get(record.facts.name) ?? zeroCounters;
}

/** An aggregate that counts less than before for so many keys at once is not believed for any. */
const shrunkPart = 0.2;
const shrunkKeys = 3;

function doubtOf({ runs, live }: AttributionInput, news: readonly Seen[]): string | null {
  const less = news.filter(({ contradiction }) => contradiction === rowCountsLess).length;
  if (less < shrunkKeys) return null;
  const spent = live.filter(({ id }) => (runs.get(id)?.counters.requests ?? 0) > 0).length;
  if (less <= spent * shrunkPart) return null;
  return `the account’s usage shrank: it counts less than before for ${String(less)} of ${String(spent)} keys`;
}

const noWindows: ReadonlyMap<Window, Bounds> = new Map();
const noneIndividual: ReadonlySet<Window | 'lifetime'> = new Set();
const noModels: KeyEvidence['models'] = { lifetime: null, windows: new Map() };

function evidenceOf(
  input: AttributionInput,
  one: Seen,
  lifetime: Bounds,
  exact: Counters | null,
): KeyEvidence {
  const { readings } = input;
  const { record, run, own, row } = one;
  const credited = row !== null;
  return {
    lifetime,
    because: exact === null ? whyUnknown(one, readings) : null,
    credited,
    checked: one.exact !== null || (!credited && record.check !== null),
    windows:
      record.conflict === ownFell || (own === undefined && readings.windows.size === 0)
        ? noWindows
        : windowBounds(readings, one),
    individual: own === undefined ? noneIndividual : new Set(own.keys()),
    models: credited && input.models === true ? modelRows(readings, record) : noModels,
    unchangedSince: exact !== null && run?.counters.requests === exact.requests ? run.firstAt : null,
    quiet: { of: null, epoch: '', record: null, until: 0 },
  };
}

/** A row not yet checked is a guess and no bound; what the account's total leaves over is one. */
function lifetimeOf({ record, run, row, exact }: Seen, rest: RestLedger): Bounds {
  if (exact !== null) return { low: exact, high: exact };
  const low = surely(record, run);
  const high = record.conflict === ownFell ? null : rest.bound(record, run);
  return high === null && row !== null ? { low, high, likely: row } : { low, high };
}

/** A key that cannot have used anything since it was last read is known as if it had been read. */
function pinned({ low, high }: Bounds): Counters | null {
  return high !== null && sameCounters(low, high) ? low : null;
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
  // A row not yet checked may show someone else's use; taken for its own, the key is idle later at the worst.
  for (const [window, { low, likely }] of evidence.windows) {
    if ((likely ?? low).requests > 0) after = Math.max(after, at - windowMs[window]);
  }
  return after - before >= dayMs ? { ...record, usedAfter: after } : record;
}

function whyUnknown({ record, row, onlyBearer }: Seen, readings: Readings): string {
  if (readings.distrust !== null) return readings.distrust;
  if (record.conflict === ownFell) return ownFell;
  if (!onlyBearer) return 'several keys bear its name, and its own usage was not read in this pass';
  if (record.conflict !== null) return record.conflict;
  if (record.nameChanged) return 'its name was changed, and its own usage was not read in this pass';
  if (row !== null) return 'its row in the account’s usage has not been checked against its own reading yet';
  return 'its usage was not read in this pass';
}

function windowBounds(readings: Readings, { record, own, row, exact }: Seen): ReadonlyMap<Window, Bounds> {
  const result = new Map<Window, Bounds>();
  for (const [window, aggregate] of row === null ? [] : readings.windows) {
    // An aggregate without any row proves nothing about a single key.
    if (aggregate.rows.size === 0 && (readings.lifetime?.rows.size ?? 0) > 0) continue;
    const read = rowOf(aggregate, record);
    if (read === null) continue;
    const proved = exact !== null && record.check?.agreed === true;
    result.set(window, proved ? { low: read, high: read } : { low: zeroCounters, high: null, likely: read });
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

function attributeAccount(input: AttributionInput): Parts['account'] {
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
  return { evidence: { lifetime: accountBounds(exact, before), windows, because }, exact };
}

/** Counters only grow, so what was known last is a lower bound of what is not known now. */
function accountBounds(exact: Counters | null, before: Counters | null): Bounds | null {
  if (exact !== null) return { low: exact, high: exact };
  return before === null ? null : { low: before, high: null };
}
