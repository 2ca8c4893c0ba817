/** What strangers may write, and what must survive it: the same for `npm test` and for `npm run fuzz`. */
import fc from 'fast-check';

/** One property over random input. */
export interface Subject {
  readonly name: string;
  /** How many of the runs asked for it takes: 1 all of them, less for what is slow. */
  readonly share?: number;
  /** Runs it; rejects with the smallest input found that does not survive. */
  readonly run: (runs: number, seed: number, watch: Watch) => Promise<void>;
}

/** Told of each case when it begins and when it is over. */
export interface Watch {
  begin(): void;
  /** The next of a case's steps begins, each of which may take as long as a case. */
  step(): void;
  end(): void;
}

export function subject<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  survives: (input: T, step: () => void) => unknown,
  share = 1,
): Subject {
  const run: Subject['run'] = async (runs, seed, watch) => {
    const property = fc.asyncProperty(arbitrary, async (input) => {
      watch.begin();
      try {
        await survives(input, () => watch.step());
      } finally {
        watch.end();
      }
    });
    await fc.assert(property, { numRuns: Math.max(1, Math.round(runs * share)), seed });
  };
  return { name, share, run };
}

/** No case may take longer, and the process may not be larger. */
export const longestCaseMs = 1000;
export const mostMemoryBytes = 500e6;
/** Before it does anything. */
export const programBytes = 100e6;

export interface Measured extends Watch {
  readonly cases: () => number;
  readonly slowestMs: () => number;
}

/** A case that is too slow is a fault. What the machine does besides is not, so the CPU's time counts. */
export function stopwatch(): Measured {
  let [cases, slowestMs] = [0, 0];
  let started = process.cpuUsage();
  const begin = (): void => {
    started = process.cpuUsage();
  };
  const step = (): void => {
    const { user, system } = process.cpuUsage(started);
    slowestMs = Math.max(slowestMs, (user + system) / 1000);
    begin();
  };
  return {
    begin,
    step,
    end: () => {
      cases += 1;
      step();
    },
    cases: () => cases,
    slowestMs: () => slowestMs,
  };
}

/** Throws an error that says what was expected and, shortened, what there is. */
export function must(holds: boolean, what: string, found: unknown = ''): asserts holds {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(found)?.slice(0, 500) ?? ''}`);
}
