/** Much work, on all cores. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { mergeCoverage } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import type { Report } from './rounds.ts';
import type { BreakOff } from './sweep.ts';

/** What a thread is given to do. */
export type Work =
  | {
      readonly kind: 'seeds';
      readonly seeds: readonly number[];
      /** No history is made shorter. */
      readonly isBrief: boolean;
    }
  | { readonly kind: 'break-offs'; readonly all: readonly BreakOff[] };

/** So many at a time: that one thread is not done long before the others. */
const handful = 10;

export interface CrewReport extends Report {
  readonly coverage: Coverage;
}

/** `tell` may say that it is to be brief from then on: no history is made shorter. */
export async function liveThroughAll(
  from: number,
  count: number,
  tell: (report: Report, done: number) => 'brief' | void = () => undefined,
  threads = availableParallelism(),
): Promise<CrewReport> {
  const reports: Report[] = [];
  let done = 0;
  let isBrief = false;
  const works = function* (): Generator<Work> {
    for (let next = from; next < from + count; next += handful) {
      const many = Math.min(handful, from + count - next);
      yield { kind: 'seeds', seeds: Array.from({ length: many }, (_, place) => next + place), isBrief };
    }
  };
  await share<Report>(works(), threads, (report) => {
    reports.push(report);
    if (tell(report, (done += report.coverage.seeds)) === 'brief') isBrief = true;
  });
  return {
    failures: reports.flatMap(({ failures }) => failures),
    known: reports.flatMap(({ known }) => known),
    coverage: reports.map(({ coverage }) => coverage).reduce(mergeCoverage),
  };
}

/** Failures, each as a text. */
export async function breakOffAll(
  all: readonly BreakOff[],
  threads = availableParallelism(),
): Promise<string[]> {
  const failures: string[] = [];
  const works = function* (): Generator<Work> {
    for (let next = 0; next < all.length; next += handful)
      yield { kind: 'break-offs', all: all.slice(next, next + handful) };
  };
  await share<string[]>(works(), threads, (some) => void failures.push(...some));
  return failures;
}

async function share<T>(works: Iterator<Work>, threads: number, done: (result: T) => void): Promise<void> {
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    try {
      for (let next = works.next(); next.done !== true; next = works.next()) {
        worker.postMessage(next.value);
        const [result] = (await once(worker, 'message')) as [T];
        done(result);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}
