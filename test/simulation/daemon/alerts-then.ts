/** Alerts as they were accepted, with the policy files by which they can have been decided. */
import type { KeyId } from '../../../src/core/key.ts';
import type { AlertFact } from './chronicle.ts';
import type { History, Of } from './history.ts';
import type { FileShape } from './policies.ts';
import { minuteMs } from './units.ts';

export interface AlertThen {
  readonly alert: AlertFact;
  readonly accepted: Of<'accepted'>;
  /** One or, where another was read not long before, more. */
  readonly files: readonly FileShape[];
}

/** No pass takes longer, with all that comes before its decision. */
export const passLimitMs = 15 * minuteMs;

/** None where somebody set the clock: its times are not the true ones then. */
export function alertsThen({ accepted, entries, stage }: History): AlertThen[] {
  if (stage.plan.acts.some(({ kind }) => kind === 'clock')) return [];
  const reads = entries.filter((one): one is Of<'file read'> => one.kind === 'file read' && one.ok);
  return accepted.flatMap((one) =>
    one.alerts.map((alert) => {
      const known = reads.filter(({ at }) => at <= alert.at);
      const isRecent = ({ at }: Of<'file read'>): boolean => at > alert.at - passLimitMs;
      const relevant = [...known.filter((read) => !isRecent(read)).slice(-1), ...known.filter(isRecent)];
      return { alert, accepted: one, files: relevant.flatMap(({ version }) => stage.files[version] ?? []) };
    }),
  );
}

/** Every name that the key bore. */
export function namesOf(history: History, id: KeyId): readonly string[] {
  return history.key(id)?.names.map(({ name }) => name) ?? [];
}
