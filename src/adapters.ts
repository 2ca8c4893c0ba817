/** The real ones behind the ports, made from settings. */
import { scaledClock, systemClock } from './clock.ts';
import type { AdminReader, AdminWriter, Clock } from './ports.ts';
import type { Settings } from './settings.ts';

/** The machine's clock, or the simulated account's. */
export function openClock(settings: Pick<Settings, 'clock'>): Clock {
  return settings.clock === null ? systemClock() : scaledClock(settings.clock);
}
