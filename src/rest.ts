/** Giving memory back before a long pause. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * A collector of garbage. A pass leaves tens of megabytes of it (the answers of the API), and a
 * program that then sleeps for a minute allocates nothing that would make V8 collect it by itself.
 */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  // The last resort also hands emptied pages back to the system.
  return () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  };
}
