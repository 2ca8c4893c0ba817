/** One plan, lived through and judged. */
import { historyOf } from './history.ts';
import { readMails } from './mails.ts';
import { notYet } from './not-yet.ts';
import type { Plan } from './plan.ts';
import { perform } from './stage.ts';
import type { Stage } from './stage.ts';
import { witnesses } from './witnesses/all.ts';
import type { Breach } from './witnesses/witness.ts';

export interface Verdict {
  readonly stage: Stage;
  readonly breaches: readonly Breach[];
  /** Breaches that are known of: told, but no failure. */
  readonly known: readonly Breach[];
}

/** The verdict's stage has no state any more. */
export async function judge(plan: Plan): Promise<Verdict> {
  using stage = await perform(plan);
  const history = historyOf(stage, await readMails(stage.mails));
  const breaches = witnesses.flatMap((witness) => witness(history));
  const isKnown = ({ code }: Breach): boolean => notYet.some((one) => one.code === code);
  return {
    stage,
    breaches: breaches.filter((one) => !isKnown(one)),
    known: breaches.filter(isKnown),
  };
}
