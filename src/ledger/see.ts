/** What the answers of one pass say of one key. */
import type { Counters, Window } from '../core/key.ts';
import type { KeyRecord, SampleRun } from '../core/state.ts';
import type { KeyReading } from '../ports.ts';
import { contradictionOf, crossChecked, ownFell } from './check.ts';
import { rowOf } from './readings.ts';
import type { Pass } from './readings.ts';
import type { RestLedger } from './rest.ts';

export interface Seen {
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
  /** The row may say how its usage is spread over models, which no reading of the key's own does. */
  readonly tellsModels: boolean;
  readonly onlyBearer: boolean;
  readonly contradiction: string | null;
}

export function see(
  input: Pass,
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
  const alone = input.alone.has(before.id);
  const creditable = nameIsOwn && readings.distrust === null && (!alone || reading !== null);
  const found = creditable ? rowOf(readings.lifetime, before) : null;
  const answers = { at, run, reading, row: found, nameIsOwn, away, hidden };
  const contradiction = contradictionOf(before, answers);
  const record = crossChecked(before, answers, contradiction);
  const unopposed = record.conflict === null ? found : null;
  const row = alone ? null : unopposed;
  const proved = record.check?.agreed === true ? row : null;
  const exact = record.conflict === ownFell ? null : (reading ?? proved);
  if (proved !== null) rest.explain(run, proved);
  if (reading !== null && record.conflict !== ownFell) rest.read(before.id, reading);
  const tellsModels = alone ? unopposed !== null && record.check?.agreed === true : row !== null;
  return { before, record, place, run, own, exact, row, tellsModels, onlyBearer, contradiction };
}

function sameKey(run: SampleRun | undefined, record: KeyRecord): SampleRun | null {
  return run !== undefined && run.createdAt === record.createdAt ? run : null;
}
