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
  readonly which: CrashPoint | 'any';
  readonly onlyChanges: boolean;
  left: number;
  readonly downMs: number;
}

/** The deaths that are to come. */
export interface Perils {
  add(peril: Peril): void;
  clear(): void;
  /** The program is at such a point: the death that it dies here; null: it lives on. */
  meet(which: CrashPoint, changing: boolean): Peril | null;
  /** How many points there were. */
  readonly points: number;
}

export function createPerils(): Perils {
  const perils = new Set<Peril>();
  let points = 0;
  return {
    add: (peril) => void perils.add(peril),
    clear: () => perils.clear(),
    meet: (which, changing) => {
      points += 1;
      for (const peril of perils) {
        if ((peril.which !== which && peril.which !== 'any') || (peril.onlyChanges && !changing)) continue;
        peril.left -= 1;
        if (peril.left > 0) continue;
        perils.delete(peril);
        return peril;
      }
      return null;
    },
    get points() {
      return points;
    },
  };
}

export function createLife(
  run: number,
  perils: Perils,
  died: (where: CrashPoint, downMs: number) => void,
): Life {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  const life: Life = {
    run,
    death,
    alive: true,
    point: async (which, changing = false) => {
      const peril = life.alive ? perils.meet(which, changing) : null;
      if (peril !== null) {
        life.alive = false;
        die();
        died(which, peril.downMs);
      }
      // It may die elsewhere before it goes on here.
      await Promise.resolve();
      if (!life.alive) await new Promise(() => undefined);
    },
  };
  return life;
}
