/** The real ones behind the ports, made from settings. */
import { scaledClock, systemClock } from './clock.ts';
import type { Secret } from './core/secret.ts';
import type { AdminReader, AdminWriter, CallObserver, Clock, SteadyClock } from './ports.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store/store.ts';
import type { AdminClientOptions } from './tinfoil/client.ts';
import { packageVersion } from './version.ts';

export { StoreError } from './store/errors.ts';
export { AdminApiError } from './tinfoil/errors.ts';
export { fingerprint } from './tinfoil/fingerprint.ts';

/** How requests to the Admin API get there, and are repeated. Left out: as the client does it. */
export type Network = Pick<AdminClientOptions, 'fetch' | 'retries'>;

/** The machine's clock, or the simulated account's. */
export function openClock(settings: Pick<Settings, 'clock'>): SteadyClock {
  return settings.clock === null ? systemClock() : scaledClock(settings.clock);
}

/** Both sides of the Admin API. Nothing is sent before the first call. */
export async function openAdmin(
  settings: Pick<Settings, 'apiUrl' | 'clock'>,
  adminKey: Secret,
  onCall?: CallObserver,
  clock: Clock = openClock(settings),
  wantsModels: () => boolean = () => true,
  network: Network = {},
): Promise<{ readonly reader: AdminReader; readonly writer: AdminWriter }> {
  const { createAdminClient } = await import('./tinfoil/client.ts');
  const observed = onCall === undefined ? {} : { onCall };
  const version = packageVersion();
  return createAdminClient({
    baseUrl: settings.apiUrl,
    adminKey,
    clock,
    version,
    wantsModels,
    ...observed,
    ...network,
  });
}

/** The state. `readOnly`: beside a running daemon; a missing file reads as an empty state. Rejects with a `StoreError`. */
export async function openState(
  settings: Pick<Settings, 'state' | 'clock'>,
  { readOnly }: { readonly readOnly: boolean },
  clock: Clock = openClock(settings),
): Promise<Store> {
  const { openSqlite } = await import('./store/sqlite.ts');
  return openSqlite(settings.state, { readOnly, clock });
}
