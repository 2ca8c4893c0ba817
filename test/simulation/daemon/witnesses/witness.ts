import type { History } from '../history.ts';

/** A promise that was broken. */
export interface Breach {
  readonly promise: number;
  readonly at: number;
  readonly what: string;
  /** Sorts breaches of one kind together. */
  readonly code: string;
}

/** Judges by the world's own record. */
export type Witness = (history: History) => readonly Breach[];

export const breach = (promise: number, code: string, at: number, what: string): Breach => {
  return { promise, code, at, what };
};
