/** What a simulation is told to do, as data: so it can be drawn from a seed, printed, and made shorter. */
import type { Fault } from '../../../src/sandbox/faults.ts';
import type { Model } from '../../../src/sandbox/models.ts';
import type { Variants } from '../../../src/sandbox/variants.ts';
import type { FileShape } from './policies.ts';

export interface Plan {
  readonly seed: number;
  readonly days: number;
  /** The longest pause between two passes. */
  readonly intervalMs: number;
  readonly variants: Partial<Variants>;
  readonly keys: readonly KeyPlan[];
  readonly file: FileShape;
  /** In order of time. */
  readonly acts: readonly Act[];
}

/** A key, numbered by its place in the list; one that a person makes later has the next number. */
export interface KeyPlan {
  readonly name: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly ageDays: number;
  readonly expiresInDays?: number;
  readonly maxTokens?: number;
  readonly isAdmin?: boolean;
  /** 0: it has none. */
  readonly usdPerDay: number;
  readonly momentsPerDay: number;
  readonly model: Model;
  /** When its traffic ends, in days from the beginning; left out: never. */
  readonly idleFromDay?: number;
}

/** At these the program can die: just before or after what is named, or while it only waits. */
export const crashPoints = [
  'before request',
  'before effect',
  'after effect',
  'after answer',
  'before read of file',
  'before read of state',
  'before write',
  'after write',
  'before send',
  'after acceptance',
  'asleep',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

export type NetworkTrouble = 'refused' | 'reset before' | 'reset after' | 'hang' | 'slow' | 'stale';
export type ReceiverTrouble = 'dead' | 'refuses' | 'slow' | 'hangs' | 'loses answers' | 'has no format';
export type EndpointGroup = 'any' | 'reads' | 'writes' | 'list' | 'usage' | 'key-usage' | 'rename' | 'delete';

export type Ambush =
  | {
      readonly by:
        | 'rename'
        | 'rename and back'
        | 'use'
        | 'shrunk list'
        | 'cut'
        | 'mute'
        | 'restart'
        | 'reborn'
        | 'unread';
    }
  | ReloadAmbush;

interface ReloadAmbush {
  readonly by: 'reload';
  readonly file: FileShape;
}

export type Deed =
  | { readonly kind: 'rename'; readonly key: number; readonly to: string }
  | { readonly kind: 'create'; readonly key: KeyPlan }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'spend'; readonly key: number; readonly usd: number }
  /** A person writes the policy file. */
  | { readonly kind: 'file'; readonly file: FileShape }
  | {
      readonly kind: 'fault';
      readonly endpoint: Exclude<EndpointGroup, 'reads' | 'writes'>;
      readonly fault: Fault;
      readonly chance: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'network';
      readonly endpoint: EndpointGroup;
      readonly trouble: NetworkTrouble;
      readonly chance: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'receiver';
      readonly channel: string;
      readonly trouble: ReceiverTrouble;
      readonly forMs: number;
    }
  | { readonly kind: 'disk full'; readonly forMs: number }
  /** At the `nth` such point from now on. `onlyWrites`: of requests that change a key, and what is written around them. */
  | {
      readonly kind: 'crash';
      readonly point: CrashPoint | 'any';
      readonly nth: number;
      readonly onlyChanges: boolean;
      readonly downMs: number;
    }
  /**
   * In the moment between a pass and the fresh look before a change, a person takes every key that got a notice
   * in hand: renames it (`and back`: and gives the name back at once), or uses it; or the list of that look is cut short. `cut`: the next change takes effect,
   * but is not answered; `mute`: nor is a list for a while after it. `restart`: shortly after the next change the program is started anew. `reload`: the
   * policy file is written anew. `reborn`: for a while lists say of it that it was created at another instant. `unread`: that look finds no key’s own usage.
   */
  | ({ readonly kind: 'ambush' } & Ambush)
  /** A second Keywarden on the same state, which is started again whenever it ends. */
  | { readonly kind: 'replica'; readonly forMs: number }
  | { readonly kind: 'stop'; readonly downMs: number }
  | { readonly kind: 'clock'; readonly byMs: number }
  | { readonly kind: 'lose state' };

export type Act = Deed & { /** Since the beginning. */ readonly atMs: number };
