/** Seeds, one after another. */
import { entryText } from './chronicle.ts';
import { coverageOf, mergeCoverage, noCoverage } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { drawPlan } from './draw.ts';
import type { Plan } from './plan.ts';
import { yamlOf } from './yaml.ts';
import { shrink } from './shrink.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import type { Breach } from './witnesses/witness.ts';

export type Print = (text: string) => void;

/** True: every promise was kept. */
export async function replay(seed: number, story: boolean, print: Print): Promise<boolean> {
  const plan = drawPlan(seed);
  const verdict = await judge(plan);
  if (story) print(storyText(verdict));
  const [first] = verdict.breaches;
  if (first === undefined) {
    print(`seed ${String(seed)}: every promise was kept`);
    return true;
  }
  print(await failureText(plan, verdict.breaches));
  return false;
}

export interface Report {
  /** A text for each seed that broke a promise. */
  readonly failures: readonly string[];
  readonly known: readonly { readonly seed: number; readonly code: string }[];
  readonly coverage: Coverage;
}

export async function liveThrough(seeds: readonly number[], isBrief = false): Promise<Report> {
  const failures: string[] = [];
  const known: { seed: number; code: string }[] = [];
  let coverage = noCoverage;
  // Making a history shorter takes as long as a hundred seeds.
  const shrunk = new Set<string>();
  for (const seed of seeds) {
    const plan = drawPlan(seed);
    const verdict = await judge(plan);
    coverage = mergeCoverage(coverage, coverageOf(verdict.stage));
    for (const code of new Set(verdict.known.map((one) => one.code))) known.push({ seed, code });
    const [first] = verdict.breaches;
    if (first === undefined) continue;
    failures.push(
      isBrief || shrunk.has(first.code)
        ? briefly(plan, verdict.breaches)
        : await failureText(plan, verdict.breaches),
    );
    shrunk.add(first.code);
  }
  return { failures, known, coverage };
}

/** With a fault planted: true when a seed finds it, of the first so many; `first` is tried before the others. */
export async function hunt(seeds: number, first: number, print: Print): Promise<boolean> {
  const others = Array.from({ length: seeds }, (_, place) => place + 1).filter((seed) => seed !== first);
  for (const seed of [first, ...others]) {
    const { breaches } = await judge(drawPlan(seed));
    const [first] = breaches;
    if (first === undefined) continue;
    print(`found by seed ${String(seed)}: promise ${String(first.promise)}, ${first.code}: ${first.what}`);
    return true;
  }
  print(`not found in ${String(seeds)} seeds`);
  return false;
}

function briefly({ seed }: Plan, breaches: readonly Breach[]): string {
  const said = breaches.map(
    ({ promise, code, at, what }) => `  promise ${String(promise)}, ${code}, at ${String(at)}: ${what}`,
  );
  return [
    `seed ${String(seed)} fails; npm run simulate -- --seed ${String(seed)} replays it`,
    ...new Set(said.slice(0, 6)),
  ].join('\n');
}

async function failureText(plan: Plan, breaches: readonly Breach[]): Promise<string> {
  const [first] = breaches as [Breach, ...Breach[]];
  const shortest = await shrink(plan, first);
  const verdict = await judge(shortest);
  return [
    briefly(plan, breaches),
    `shortest history, of ${String(shortest.acts.length)} acts (of ${String(plan.acts.length)}):`,
    ...shortest.acts.map(
      (act) => `  ${JSON.stringify(act.kind === 'file' ? { ...act, file: yamlOf(act.file) } : act)}`,
    ),
    'policy file:',
    yamlOf(shortest.file),
    `variants ${JSON.stringify(shortest.variants)}`,
    storyText(verdict),
  ].join('\n');
}

/** What bears on it, in order; reads are left out. */
function storyText({ stage, breaches }: Verdict): string {
  const lines = stage.chronicle.entries
    .filter(
      (entry) =>
        !['answered', 'pass', 'file written'].includes(entry.kind) &&
        (entry.kind !== 'asked' || entry.key !== null),
    )
    .map((entry) => `  ${entryText(entry)}`);
  const keys = stage.world
    .everyKey()
    .map(({ id, name }, index) => `  key ${String(index)} ${id} ${JSON.stringify(name.slice(0, 60))}`);
  const found = breaches.map(
    ({ promise, code, at }) => `  promise ${String(promise)}, ${code}, at ${String(at)}`,
  );
  return [...keys, ...lines.slice(0, 200), ...found].join('\n');
}
