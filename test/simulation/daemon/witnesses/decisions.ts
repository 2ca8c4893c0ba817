import type { RecordRow } from '../books.ts';
import type { History } from '../history.ts';
import type { Decided } from '../stage.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

interface Between {
  readonly decided: Decided;
  /** The one before it. */
  readonly before: Decided | null;
  /** When the next one was made; Infinity: there is none. */
  readonly until: number;
}

/** Those that the state at the end knows of, and that were kept. By a clock that was set, their record cannot be told from that of others. */
function decisionsOf({ stage, statesSince }: History): Between[] {
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const since = statesSince.at(-1) ?? 0;
  // By a clock that is doubted, which an old answer of the API can bring about, nothing is written down of any.
  const known = stage.decisions.filter(({ at, isTrusted }) => at > since && isTrusted);
  return known.map((decided, place) => ({
    decided,
    before: known[place - 1] ?? null,
    until: known[place + 1]?.now ?? Infinity,
  }));
}

type HeldChange = Decided['held'][number];

/** 18: a change that is held is on record when that begins, and when its reason becomes another one. */
export const heldOnRecord: Witness = (history) => {
  const holds = history.books.record.filter(({ kind }) => kind === 'held');
  return decisionsOf(history).flatMap(({ decided, before }): Breach[] => {
    const known = new Set(before?.held.map(holdName));
    // Also by a pass in between that failed after it.
    const said = holds.filter(({ at }) => at > (before?.now ?? -Infinity) && at <= decided.now);
    return decided.held
      .filter((held) => held.kind !== 'alert' && !known.has(holdName(held)))
      .filter((held) => !said.some((row) => says(row, held)))
      .map((held) => breach(18, 'a held change not on record', decided.at, holdName(held)));
  });
};

function holdName({ kind, findingId, policy, subject, because }: HeldChange): string {
  const whose = subject.kind === 'key' ? subject.id : subject.group;
  return `${kind} of ${whose} by ${findingId ?? policy}: ${because}`;
}

function says({ facts }: RecordRow, held: HeldChange): boolean {
  return (
    facts['change'] === held.kind &&
    facts['findingId'] === held.findingId &&
    facts['policy'] === held.policy &&
    facts['keyId'] === (held.subject.kind === 'key' ? held.subject.id : null) &&
    facts['because'] === held.because &&
    [facts['detail'], facts['figures']].every((text) => typeof text === 'string' && text !== '')
  );
}

/** 7: a change that was decided, and of which no request left the process, is on record with what came of it. */
export const cancellations: Witness = (history) => {
  const outcomes = history.books.record.filter(({ kind }) =>
    /^change-(cancelled|failed|not-done|overtaken|unclear)$/.test(kind),
  );
  return decisionsOf(history).flatMap(({ decided, before, until }): Breach[] => {
    // What was not begun when it was told to stop, nobody looked at afresh.
    if (decided.mode !== 'enforce' || wasStopped(history, decided)) return [];
    return decided.changes
      .filter((change) => !wasAsked(history, change, decided, before))
      .filter(
        ({ kind, keyId }) =>
          !outcomes.some(
            ({ at, facts }) =>
              at >= decided.now && at <= until && facts['keyId'] === keyId && facts['change'] === kind,
          ),
      )
      .map(({ kind, keyId }) =>
        breach(
          7,
          'cancelled and not said',
          decided.at,
          `${kind} of ${keyId}, decided at ${String(decided.now)}`,
        ),
      );
  });
};

function wasAsked(
  { asked }: History,
  { kind, keyId }: Decided['changes'][number],
  { index, run }: Decided,
  before: Decided | null,
): boolean {
  return asked.some(
    (one) =>
      one.index < index &&
      one.index > (before?.index ?? -1) &&
      one.run === run &&
      one.key?.id === keyId &&
      (one.kind === 'delete') === (kind === 'delete'),
  );
}

function wasStopped({ entries }: History, { index, run }: Decided): boolean {
  const next = entries
    .slice(index + 1)
    .find((one) => (one.kind === 'pass' || one.kind === 'ended') && one.run === run);
  return next?.kind === 'ended' && next.how === 'stop';
}
