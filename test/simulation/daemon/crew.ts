/** Many seeds, on all cores. */
import { availableParallelism } from 'node:os';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { mergeCoverage } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import type { Report } from './rounds.ts';

/** So many at a time: that one thread is not done long before the others. */
const handful = 10;

export interface CrewReport extends Report {
  readonly coverage: Coverage;
}

export async function liveThroughAll(
  from: number,
  count: number,
  tell: (report: Report, done: number) => void = () => undefined,
  threads = availableParallelism(),
): Promise<CrewReport> {
  const reports: Report[] = [];
  let next = from;
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    try {
      while (next < from + count) {
        const seeds = Array.from(
          { length: Math.min(handful, from + count - next) },
          (_, place) => next + place,
        );
        next += seeds.length;
        worker.postMessage(seeds);
        const [report] = (await once(worker, 'message')) as [Report];
        reports.push(report);
        tell(report, (done += seeds.length));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return {
    failures: reports.flatMap(({ failures }) => failures),
    known: reports.flatMap(({ known }) => known),
    coverage: reports.map(({ coverage }) => coverage).reduce(mergeCoverage),
  };
}
