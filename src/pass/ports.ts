/** What a pass needs of the world. */
import type { Alert } from '../core/alert.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { DeliberationPorts } from '../deliberate.ts';
import type { AdminWriter, OutboxItem, SteadyClock } from '../ports.ts';
import type { Store } from '../store/store.ts';

export interface PassPorts extends DeliberationPorts {
  readonly clock: SteadyClock;
  readonly store: Store;
  readonly writer: AdminWriter;
  /** Whether another policy file has taken this pass's place. */
  readonly superseded: () => boolean;
  /** Aborted when the state is given up: from then on nothing may be asked of the API. */
  readonly closing: AbortSignal;
  /** Alerts to outbox items: one message a channel and recipient for each `batch`. */
  route(alerts: readonly Alert[], policy: PolicyFile, batch: string): Routed;
}

export interface Routed {
  readonly items: readonly OutboxItem[];
  readonly undeliverable: readonly {
    readonly alert: Alert;
    readonly channel: string;
    readonly because: string;
  }[];
}
