/** One life of the program, from its start until it ends or is killed; and where it can be killed. */
import type { CrashPoint } from './plan.ts';
import type { Owner } from './scheduler.ts';

export interface Life extends Owner {
  readonly run: number;
  /** Resolves when it is killed. */
  readonly death: Promise<void>;
  /**
   * The program is at such a point. If it dies here, this never resolves, and nothing that it does from now
   * on has an effect. `changing`: around a change of a key.
   */
  point(which: CrashPoint, changing?: boolean): Promise<void>;
}

/** A death that is to come: at the `nth` point of its kind. */
export interface Peril {
  readonly which: CrashPoint;
  readonly onlyChanges: boolean;
  left: number;
  readonly downMs: number;
}

export function createLife(run: number, perils: Set<Peril>, died: (peril: Peril, life: Life) => void): Life {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  const life: Life = {
    run,
    death,
    alive: true,
    point: (which, changing = false) => {
      for (const peril of life.alive ? perils : []) {
        if (peril.which !== which || (peril.onlyChanges && !changing)) continue;
        peril.left -= 1;
        if (peril.left > 0) continue;
        perils.delete(peril);
        life.alive = false;
        die();
        died(peril, life);
        break;
      }
      return life.alive ? Promise.resolve() : new Promise(() => undefined);
    },
  };
  return life;
}
