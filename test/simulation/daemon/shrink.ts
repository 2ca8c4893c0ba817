/** The shortest plan that still breaks the same promise, as far as leaving things out gets. */
import type { Act, Plan } from './plan.ts';
import { judge } from './verdict.ts';
import type { Breach } from './witnesses/witness.ts';

/** So many plans are tried at most. */
const patience = 80;

export async function shrink(plan: Plan, broken: Breach): Promise<Plan> {
  let tried = 0;
  const fails = async (candidate: Plan): Promise<boolean> => {
    tried += 1;
    if (tried > patience) return false;
    const { breaches } = await judge(candidate);
    return breaches.some(({ code }) => code === broken.code);
  };
  let best = plan;
  const tryTo = async (candidate: Plan): Promise<boolean> => {
    const better = await fails(candidate);
    if (better) best = candidate;
    return better;
  };
  await tryTo({ ...best, acts: best.acts.filter(({ atMs }) => atMs <= broken.at) });
  await leaveOut(best.acts, (acts: readonly Act[]) => tryTo({ ...best, acts }));
  await tryTo({ ...best, variants: {} });
  await leaveOut(best.file.policies, (policies) => tryTo({ ...best, file: { ...best.file, policies } }));
  for (const number of best.keys.keys()) {
    const keys = best.keys.map((key, place) => (place === number ? { ...key, usdPerDay: 0 } : key));
    if (best.keys[number]?.usdPerDay !== 0) await tryTo({ ...best, keys });
  }
  return best;
}

/** By halves, quarters and so on, then one by one. */
async function leaveOut<T>(
  items: readonly T[],
  works: (rest: readonly T[]) => Promise<boolean>,
): Promise<void> {
  let left = items;
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length;) {
      const rest = [...left.slice(0, from), ...left.slice(from + size)];
      if (await works(rest)) left = rest;
      else from += size;
    }
  }
}
