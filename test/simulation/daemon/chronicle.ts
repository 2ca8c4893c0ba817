/**
 * What the world saw: every request with its effect, every acceptance by a receiver, every deed of people,
 * each with its true instant. Witnesses judge by this and by the account itself, by nothing that the program says.
 */
import type { Figures } from '../../../src/core/alert.ts';
import type { KeyId } from '../../../src/core/key.ts';
import type { FileShape } from './policies.ts';

export type Fact =
  /**
   * A request left the process. `key`, `to`: of one that changes a key. `intended`: the intent to change that key
   * so was on disk by then.
   */
  | {
      readonly kind: 'asked';
      readonly n: number;
      readonly run: number;
      readonly method: string;
      readonly path: string;
      readonly key: KeyId | null;
      readonly to: string | null;
      readonly intended: boolean;
    }
  /** It was answered. `asOf`: when the account was as the answer has it; null: the answer says nothing. */
  | {
      readonly kind: 'answered';
      readonly n: number;
      readonly run: number;
      readonly path: string;
      readonly status: number | string;
      readonly asOf: number | null;
      /** Of a list: which part of the account's keys it lacked. */
      readonly lacking: number;
      /** Of a list: keys with notices seemed to be others, of the same secret. */
      readonly isAltered: boolean;
    }
  /** An account's change. `n`: the request that made it; null: a person did. */
  | {
      readonly kind: 'changed';
      readonly n: number | null;
      readonly what: 'created' | 'renamed' | 'deleted';
      readonly key: KeyId;
      readonly from: string | null;
      readonly to: string | null;
    }
  | {
      readonly kind: 'accepted';
      readonly run: number;
      readonly channel: string;
      readonly recipient: string;
      readonly message: string;
      /** When the program began to send it. */
      readonly sentAt: number;
      readonly heard: boolean;
      readonly alerts: readonly AlertFact[];
    }
  | {
      readonly kind: 'not accepted';
      readonly run: number;
      readonly channel: string;
      readonly message: string;
      readonly why: string;
    }
  | { readonly kind: 'file written'; readonly version: number; readonly file: FileShape }
  | { readonly kind: 'file read'; readonly run: number; readonly version: number; readonly ok: boolean }
  /** `program`: 1, or a number of one that stands by. */
  | { readonly kind: 'started'; readonly run: number; readonly program: number }
  /** It has the state. */
  | { readonly kind: 'opened'; readonly run: number }
  | {
      readonly kind: 'ended';
      readonly run: number;
      readonly how: 'crash' | 'stop' | 'exit';
      readonly where: string;
    }
  | { readonly kind: 'pass'; readonly run: number; readonly ok: boolean }
  | { readonly kind: 'clock set'; readonly byMs: number }
  | { readonly kind: 'disk failed'; readonly run: number }
  | { readonly kind: 'state lost' };

export interface AlertFact {
  readonly id: string;
  /** When it was decided, by the program's clock. */
  readonly at: number;
  readonly event: string;
  readonly policy: string | null;
  readonly finding: string | null;
  readonly key: KeyId | null;
  readonly group: string | null;
  readonly step: number | null;
  readonly noticeMs: number | null;
  readonly repeated: boolean;
  readonly figures: Figures | null;
  readonly title: string | null;
}

export type Entry = Fact & { /** Milliseconds since the beginning, truly. */ readonly at: number };

export interface Chronicle {
  /** Milliseconds since the beginning. */
  readonly now: () => number;
  readonly entries: readonly Entry[];
  note(fact: Fact): void;
}

export function createChronicle(now: () => number): Chronicle {
  const entries: Entry[] = [];
  return { now, entries, note: (fact) => void entries.push({ ...fact, at: now() }) };
}

/** One line for a person. */
export function entryText(entry: Entry): string {
  const { at, kind, ...rest } = entry;
  const days = Math.floor(at / 86_400_000);
  const time = new Date(at % 86_400_000).toISOString().slice(11, 23);
  return `day ${String(days)} ${time} ${kind} ${JSON.stringify(rest)}`;
}
