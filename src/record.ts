/** The record's entries for one decision: what was seen, said, wanted and held, with its numbers. */
import type { EpochMs } from './core/key.ts';
import type { Decision, Held, PlannedChange } from './core/plan.ts';
import type { RecordEntry } from './core/state.ts';
import { figuresWords } from './core/words.ts';
import type { Deliberation } from './deliberate.ts';

type RegistryEvent = Deliberation['sight']['registry']['events'][number];

/** Held changes as identities, so that a hold is recorded when it begins or changes, not every pass. */
export function heldKeys(decision: Decision): ReadonlySet<string> {
  return new Set(decision.held.map(heldKey));
}

function heldKey(held: Held): string {
  const subject = held.subject.kind === 'key' ? held.subject.id : held.subject.group;
  return `${held.kind} ${held.findingId ?? held.policy} ${subject} ${held.because}`;
}

export function eventEntry(at: EpochMs, { kind, id, facts }: RegistryEvent): RecordEntry {
  return { at, kind, facts: { keyId: id, ...facts } };
}

export function decisionEntries(found: Deliberation, heldBefore: ReadonlySet<string>): RecordEntry[] {
  const { decision, sight, attribution } = found;
  const at = decision.now;
  const entry = (kind: string, facts: RecordEntry['facts']): RecordEntry => ({ at, kind, facts });
  return [
    ...sight.registry.events.map((event) => eventEntry(at, event)),
    ...attribution.contradictions
      .filter(({ id, because }) => sight.registry.records.get(id)?.conflict !== because)
      .map(({ id, because }) => entry('contradiction', { keyId: id, because })),
    ...decision.findings
      .filter((finding) => finding.closedAt === at)
      .map((finding) => entry('finding-closed', { findingId: finding.id, because: finding.closedBecause })),
    ...decision.alerts.map((alert) =>
      entry(`alert-${alert.event.kind}`, {
        alert: alert.id,
        findingId: alert.findingId,
        channels: alert.channels,
        figures: figuresWords(alert.figures),
      }),
    ),
    ...decision.changes.map((change) => entry('change-planned', changeFacts(change))),
    ...decision.held
      .filter((held) => !heldBefore.has(heldKey(held)))
      .map((held) =>
        entry('held', {
          change: held.kind,
          policy: held.policy,
          findingId: held.findingId,
          step: held.step === null ? null : held.step + 1,
          keyId: held.subject.kind === 'key' ? held.subject.id : null,
          because: held.because,
          detail: held.detail,
          figures: held.reason,
        }),
      ),
  ];
}

/** Before it is checked afresh: what is carried out was written down first, with what it was judged by. */
function changeFacts({ kind, policy, findingId, step, keyId, from, to, reason }: PlannedChange) {
  const at = step === null ? null : step + 1;
  return { change: kind, policy, findingId, step: at, keyId, from, to, figures: reason };
}
