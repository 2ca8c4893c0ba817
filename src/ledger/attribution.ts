/**
 * Whose usage is it? The aggregate is indexed by name, names collide and change. A row is credited
 * to a key only if exactly one live key bears that name, that key has borne it ever since it was
 * first seen, and a reading of the key's own has proved it (`check.ts`). Every other key is read
 * individually; between two readings the account's total bounds what it can have used (`rest.ts`).
 */
import { falls, sameCounters } from '../core/evidence.ts';
import type { Bounds, Evidence, KeyEvidence } from '../core/evidence.ts';
import type { Counters, EpochMs, KeyId } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import { rowCountsLess } from './check.ts';
import { evidenceOf, isSteadfast, lifetimeOf, pinned, used } from './key-evidence.ts';
import { align, bearersOf, orderOf, placesOf, rowAt, rowPlacesOf } from './lineup.ts';
import type { Alignment, Lineup, RowPlaces } from './lineup.ts';
import { quicken } from './pace.ts';
import type { IsFar, Peaks } from './pace.ts';
import type { Pass } from './readings.ts';
import { createRest } from './rest.ts';
import type { Rest, RestLedger } from './rest.ts';
import { see } from './see.ts';
import type { Seen } from './see.ts';
import { strangersOf } from './strangers.ts';
import type { Strangers } from './strangers.ts';

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

export interface AttributionInput extends Pass {
  /** After the last answer. */
  readonly doneAt: EpochMs;
  /** Every key listed, admin keys included: they bear names too. */
  readonly live: readonly KeyRecord[];
  /** Keys that are gone, but some of whose usage may still be unseen. */
  readonly leaving?: readonly KeyRecord[];
  readonly marks: Evidence['marks'];
  readonly readAt?: Evidence['readAt'];
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
