/** Very many seeds: what is told while they are lived through. */
import { coverageText, mergeCoverage, noCoverage } from './coverage.ts';
import { liveThroughAll } from './crew.ts';
import { notYet } from './not-yet.ts';
import type { Print } from './rounds.ts';

/** So many failing histories are made as short as they get, which takes as long as a hundred seeds each. */
const toldAtLength = 5;
const everyMs = 30_000;

/** True: every promise was kept. */
export async function liveThroughMany(from: number, count: number, print: Print): Promise<boolean> {
  let sofar = noCoverage;
  let failed = 0;
  let toldAt = performance.now();
  const report = await liveThroughAll(from, count, ({ failures, coverage }) => {
    failures.forEach(print);
    failed += failures.length;
    sofar = mergeCoverage(sofar, coverage);
    if (performance.now() - toldAt >= everyMs) {
      toldAt = performance.now();
      print(progressText(sofar, count, failed));
    }
    return failed >= toldAtLength ? 'brief' : undefined;
  });
  print(coverageText(report.coverage));
  for (const { code, because } of notYet) {
    const seeds = report.known.filter((one) => one.code === code).map(({ seed }) => seed);
    print(
      `not yet: ${code} (${because}): in ${String(seeds.length)} seeds, such as ${seeds.slice(0, 5).join()}`,
    );
  }
  print(failed === 0 ? 'every promise was kept' : `${String(failed)} seeds failed`);
  return failed === 0;
}

function progressText({ seeds, days, passes }: typeof noCoverage, count: number, failed: number): string {
  return `${String(seeds)} of ${String(count)} seeds, ${days.toFixed(0)} simulated days, ${String(passes)} passes, ${String(failed)} failures`;
}
