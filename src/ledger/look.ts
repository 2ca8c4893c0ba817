/** Looking at the account: the list and the aggregate (two calls), then whatever a decision still asks for. */
import pLimit from 'p-limit';
import { listDoubt, lossDoubt } from '../core/list-doubt.ts';
import { questionKey } from '../core/evidence.ts';
import type { Question, Target } from '../core/evidence.ts';
import type { EpochMs, KeyId, SecretBook, Window } from '../core/key.ts';
import type { Call, Trouble } from '../core/plan.ts';
import type { Pace } from '../core/schedule.ts';
import type { Change, KeyRecord, SampleRun } from '../core/state.ts';
import type { AdminReader, Aggregate, Clock, KeyReading, Listing, SteadyClock } from '../ports.ts';
import type { Readings } from './readings.ts';
import { judgeClock } from './clock.ts';
import type { ClockVerdict, LastReading } from './clock.ts';
import { register } from './registry.ts';
import type { Registry } from './registry.ts';

/** One look at the account: what was read, and what it says of itself. */
export interface Sight {
  /** Just before the first request: everything used and reported by then is in the readings. */
  readonly at: EpochMs;
  /** After the last answer so far. */
  readonly doneAt: EpochMs;
  /** After the answers of the list and of the aggregate. */
  readonly rowsAt: EpochMs;
  readonly listing: Listing;
  readonly registry: Registry;
  /** The machine's count of milliseconds at `at`. */
  readonly monotonicMs: number;
  readonly clock: ClockVerdict;
  /** Why nothing may be changed by what was seen; null: nothing stands in the way. */
  readonly hold: string | null;
  /** The pass before is so long ago that keys may have come and gone unseen. */
  readonly away: boolean;
  readonly readings: Readings;
  readonly troubles: readonly Trouble[];
  readonly calls: readonly Call[];
}

/** What is known from the passes before. */
export interface Before {
  readonly records: ReadonlyMap<KeyId, KeyRecord>;
  /** How many of them are of keys that there are. */
  readonly living: number;
  /** Those of the keys listed, in the list's order; none when any has changed since. */
  readonly listed: readonly KeyRecord[];
  /** Changes of Keywarden's own that may have taken effect, as far as is known. */
  readonly attempted: readonly Change[];
  readonly account: SampleRun | undefined;
  readonly lastClock: LastReading | null;
  /** Since when, by itself, the clock has been doubted; null: it is not. */
  readonly clockDoubtedSince: EpochMs | null;
  /** Since when the list has been implausible; null: it is not. */
  readonly shrunkSince: EpochMs | null;
}

/** Within less, nobody makes a key under another's name, uses it and deletes it again. */
const awayAfterMs = 3_600_000;
/** A list that shrank implausibly is believed after it has stayed so for this long. */
const shrunkBelievedAfterMs = 3_600_000;
/** So is one that lacks what many keys had: protections may hang on it, and whoever hears of it is to have time. */
const lossBelievedAfterMs = 24 * 3_600_000;

/** Rejects with an `AdminApiError` when the list cannot be read; failing usage is said in `hold`. */
export async function look(
  reader: AdminReader,
  clock: SteadyClock,
  before: Before,
  { intervalMs }: Pick<Pace, 'intervalMs'>,
  signal: AbortSignal,
): Promise<Sight> {
  const at = clock.now();
  const monotonicMs = clock.monotonic();
  const listing = await reader.listKeys(signal);
  const usage = await readUsage(reader, before, signal);
  const doneAt = clock.now();
  const { serverAt } = listing;
  const tookMs = clock.monotonic() - monotonicMs;
  const read = { at, doneAt, serverAt, monotonicMs, tookMs };
  const verdict = judgeClock(read, before.lastClock, before.clockDoubtedSince);
  const clockDoubt = verdict.trusted ? null : verdict.because;
  const shrunkSince = verdict.trusted && verdict.setByMs === 0 ? before.shrunkSince : null;
  const lasts = (ms: number): boolean => shrunkSince !== null && at - shrunkSince >= ms;
  const expected = expectedKeys(before, listing);
  const registry = register(
    before.records,
    listing,
    before.attempted,
    (still, losses) =>
      (lasts(shrunkBelievedAfterMs) ? null : listDoubt(expected, still, listing.keys.length)) ??
      (lasts(lossBelievedAfterMs) ? null : lossDoubt(losses)),
    before.listed,
    before.living,
  );
  const lastPassAt = before.lastClock?.at ?? null;
  return {
    at,
    doneAt,
    rowsAt: doneAt,
    monotonicMs,
    clock: verdict,
    listing,
    registry,
    hold: clockDoubt ?? registry.doubt ?? usage.distrust,
    away: lastPassAt !== null && at - lastPassAt > Math.max(awayAfterMs, 3 * intervalMs),
    readings: { ...usage, windows: new Map(), own: new Map(), unanswered: new Set() },
    troubles: [
      ...trouble('list', 'critical', 'The list of keys is implausible', registry.doubt),
      ...trouble('clock', 'critical', 'The clock cannot be trusted', clockDoubt),
      ...trouble('usage', 'warning', 'The account’s usage cannot be read', usage.distrust),
    ],
    calls: [
      { what: 'list of keys', why: 'every pass' },
      { what: 'usage of all keys, all time', why: 'every pass' },
    ],
  };
}

/** How many keys there were, but for those that an unsettled deletion of Keywarden's own may have taken. */
function expectedKeys({ records, living, attempted }: Before, listing: Listing): number {
  const deletions = attempted.filter(({ kind }) => kind === 'delete');
  const explained = deletions.filter(
    ({ keyId }) => records.get(keyId)?.goneAt === null && !listing.keys.some(({ id }) => id === keyId),
  );
  return living - new Set(explained.map(({ keyId }) => keyId)).size;
}

async function readUsage(
  reader: AdminReader,
  before: Before,
  signal: AbortSignal,
): Promise<{ lifetime: Aggregate | null; distrust: string | null }> {
  try {
    const lifetime = await reader.usage(null, signal);
    const emptied = lifetime.rows.size === 0 && (before.account?.counters.requests ?? 0) > 0;
    return { lifetime, distrust: emptied ? 'the account’s usage is empty, and was not before' : null };
  } catch (error) {
    if (signal.aborted) throw error;
    return { lifetime: null, distrust: `the account’s usage could not be read: ${messageOf(error)}` };
  }
}

function trouble(
  code: string,
  severity: Trouble['severity'],
  title: string,
  doubt: string | null,
): Trouble[] {
  if (doubt === null) return [];
  return [{ code, severity, title, text: `${doubt}. Nothing is renamed or deleted until this is over.` }];
}

/** Of an aggregate that the ledger contradicts as a whole. */
export function usageTrouble(doubt: string | null): Trouble[] {
  return trouble('usage-doubt', 'critical', 'The account’s usage is not believed', doubt);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Puts questions to the API, at most four at a time. A question that fails is remembered as unanswered. */
export async function ask(
  reader: AdminReader,
  clock: Clock,
  sight: Sight,
  questions: readonly Question[],
  signal: AbortSignal,
): Promise<Sight> {
  const windows = new Map(sight.readings.windows);
  const own = new Map([...sight.readings.own].map(([id, readings]) => [id, new Map(readings)]));
  const unanswered = new Set(sight.readings.unanswered);
  const limit = pLimit(4);
  const put = async (question: Question): Promise<void> => {
    const answer = await answerTo(reader, clock, sight.listing.secrets, question, signal).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
        return null;
      },
    );
    if (answer === null) unanswered.add(questionKey(question));
    else if (answer.kind === 'aggregate') windows.set(answer.window, answer.aggregate);
    else
      own.set(
        answer.id,
        (own.get(answer.id) ?? new Map<Window | 'lifetime', KeyReading>()).set(
          answer.window ?? 'lifetime',
          answer.reading,
        ),
      );
  };
  await Promise.all(questions.map((question) => limit(() => put(question))));
  return {
    ...sight,
    doneAt: clock.now(),
    readings: { ...sight.readings, windows, own, unanswered },
    calls: [
      ...sight.calls,
      ...questions.map((question) => ({ what: questionWords(question), why: question.why })),
    ],
  };
}

type Answer =
  | { readonly kind: 'aggregate'; readonly window: Window; readonly aggregate: Aggregate }
  | {
      readonly kind: 'key';
      readonly id: KeyId;
      readonly window: Window | null;
      readonly reading: KeyReading;
    };

async function answerTo(
  reader: AdminReader,
  clock: Clock,
  secrets: SecretBook,
  question: Question,
  signal: AbortSignal,
): Promise<Answer | null> {
  if (question.kind === 'aggregate') {
    const aggregate = await reader.usage(question.window, signal);
    return { kind: 'aggregate', window: question.window, aggregate };
  }
  const secret = secrets.get(question.id);
  if (secret === undefined) return null;
  const reading = await reader.keyUsage(secret, question.window, signal);
  const timed: KeyReading = { ...reading, doneAt: clock.now() };
  return { kind: 'key', id: question.id, window: question.window, reading: timed };
}

function questionWords(question: Target): string {
  if (question.kind === 'aggregate') return `usage of all keys, last ${question.window}`;
  return `usage of ${question.id}, ${question.window === null ? 'all time' : `last ${question.window}`}`;
}
