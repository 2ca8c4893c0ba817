/** What the story came to, kept while it is told. */
import type { CaseAlert } from '../../core/alert.ts';
import type { EpochMs, KeyId } from '../../core/key.ts';
import type { CallObserver } from '../../ports.ts';
import type { PlannedChange } from '../../core/plan.ts';
import type { Round } from './rounds.ts';

/** A change as Keywarden decided it and reported it done. */
export interface Done {
  readonly at: EpochMs;
  readonly change: PlannedChange;
  /** What was told of it, if anything was. */
  readonly alert: CaseAlert | null;
}

/** A key that was heading for a change which did not come. */
export interface Spared {
  readonly id: KeyId;
  readonly name: string;
  readonly because: string;
}

export interface Tally {
  readonly call: CallObserver;
  round(round: Round): void;
  readonly passes: number;
  readonly calls: number;
  /** Messages by channel. */
  readonly messages: ReadonlyMap<string, number>;
  readonly alerts: number;
  readonly done: readonly Done[];
  /** By key; the last reason counts. */
  readonly spared: ReadonlyMap<KeyId, Spared>;
}

export function createTally(): Tally {
  let passes = 0;
  let calls = 0;
  const messages = new Map<string, number>();
  const alerts = new Set<string>();
  const done: Done[] = [];
  const spared = new Map<KeyId, Spared>();
  /** Findings with a deletion announced. */
  const announced = new Set<string>();

  function spare(alert: CaseAlert): void {
    const { subject, event, findingId } = alert;
    if (event.kind === 'notice') announced.add(findingId);
    if (event.kind === 'vetoed') announced.delete(findingId);
    if (subject.kind !== 'key') return;
    const because = reprieve(alert, announced.has(findingId));
    if (because !== null) spared.set(subject.id, { id: subject.id, name: subject.originalName, because });
  }

  return {
    call: () => {
      calls += 1;
    },
    round: ({ at, report, letters }) => {
      passes += 1;
      for (const letter of letters) {
        messages.set(letter.channel, (messages.get(letter.channel) ?? 0) + 1);
        for (const alert of letter.alerts) alerts.add(alert.id);
      }
      const cases = letters.flatMap((letter) => letter.alerts).filter((alert) => alert.topic === 'case');
      for (const alert of [...report.decision.alerts, ...cases]) spare(alert);
      for (const { change, result } of report.outcomes) {
        if (result !== 'done') continue;
        const alert = cases.find((one) => one.findingId === change.findingId && one.event.kind === 'deleted');
        done.push({ at, change, alert: alert ?? null });
      }
    },
    get passes() {
      return passes;
    },
    get calls() {
      return calls;
    },
    messages,
    get alerts() {
      return alerts.size;
    },
    done,
    spared,
  };
}

/** Why a key that was to be changed is not; null: it is, or it never was to be. */
function reprieve({ event, next }: CaseAlert, wasAnnounced: boolean): string | null {
  switch (event.kind) {
    case 'vetoed':
      return event.by;
    case 'cancelled':
      return event.because;
    case 'resolved':
      return wasAnnounced && event.because !== 'the key is gone'
        ? `${event.because.replace(/;.*/, '')} while its notice ran`
        : null;
    case 'step':
      return next.flatMap((one) => (one.kind === 'would' ? [one.because] : []))[0] ?? null;
    case 'notice':
    case 'deleted':
    case 'held':
    case 'failed':
    case 'uncertain':
      return null;
    default:
      return event satisfies never;
  }
}
