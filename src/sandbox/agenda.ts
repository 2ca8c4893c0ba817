import type { EpochMs } from '../core/key.ts';

/** What is to happen and when. Of several at one instant, what was put down first comes first. */
export interface Agenda {
  add(at: EpochMs, happen: () => void): void;
  /** Takes out the next that is due by `until`; null: nothing is. */
  takeDue(until: EpochMs): { readonly at: EpochMs; readonly happen: () => void } | null;
}

export function createAgenda(): Agenda {
  /** Latest first, so that taking the next is a pop. */
  const entries: { readonly at: EpochMs; readonly happen: () => void }[] = [];

  return {
    add: (at, happen) => {
      let low = 0;
      let high = entries.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((entries[middle]?.at ?? 0) > at) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { at, happen });
    },
    takeDue: (until) => {
      const next = entries.at(-1);
      if (next === undefined || next.at > until) return null;
      entries.pop();
      return next;
    },
  };
}
