/**
 * Steps over edits of the policy file. What is remembered of a step refers to it by its place among others,
 * and that may change with the file; so each finding knows what the steps were that it counts by.
 */
import type { Court } from './court.ts';
import { caseKey } from './judgement.ts';
import type { Policy, Step } from './policy.ts';
import type { Finding } from './state.ts';

/** What a step is: from where on it is reached, what it does, and who hears of it. */
export interface StepMark {
  readonly at: string;
  readonly does: string;
  readonly to: string;
}

export function stepMarks({ steps }: Policy): readonly StepMark[] {
  return steps.map(markOf);
}

function markOf({ atPercent, offsetMs, basis, rename, delete: deletes, alert }: Step): StepMark {
  const change = rename ? `rename ${rename.template.source}` : deletes ? 'delete' : 'alert';
  return {
    at: atPercent === null ? String(offsetMs) : `${String(atPercent)}%`,
    does: basis === 'forecast' ? `${change} by forecast` : change,
    to: [...alert].sort().join(),
  };
}

/** The court, with every finding's steps counted as the policy file has them now. */
export function countedAnew(court: Court): Court {
  const marks = new Map(court.policy.policies.map((policy) => [policy.name, stepMarks(policy)]));
  let differs = false;
  const findings = court.findings.map((finding) => {
    const now = marks.get(finding.policy);
    const next = now === undefined ? finding : recounted(finding, now);
    differs ||= next !== finding;
    return next;
  });
  if (!differs) return court;
  const open = findings.filter(({ closedAt }) => closedAt === null);
  const bench = { ...court.bench, open: new Map(open.map((one) => [caseKey(one.policy, one.subject), one])) };
  return { ...court, findings, bench };
}

/**
 * What was said and done stays so of the step that it is about. Of steps that are gone it is kept after the
 * others, where no step that can be reached is, for they may come back.
 */
export function recounted(finding: Finding, now: readonly StepMark[]): Finding {
  const { steps: before } = finding;
  // What was written before steps were remembered counts by the file as it is.
  if (before === undefined) return { ...finding, steps: now };
  if (isPrefix(now, before)) return finding;
  const places = samePlaces(before, now);
  const { fired, deletions, renamed, fellOn = [] } = finding;
  const used = new Set([...fired, ...deletions, ...renamed, ...fellOn].map(({ step }) => step));
  const steps = [...now];
  const placeOf = before.map((mark, index) => {
    const place = places.get(index);
    if (place !== undefined || !used.has(index)) return place ?? -1;
    return steps.push(mark) - 1;
  });
  const moved = <T extends { readonly step: number }>(one: T): T => ({
    ...one,
    step: placeOf[one.step] ?? -1,
  });
  return {
    ...finding,
    steps,
    fired: fired.map(moved),
    deletions: deletions.map(moved),
    renamed: renamed.map(moved),
    ...(finding.fellOn && { fellOn: fellOn.map(moved) }),
  };
}

/** Where a step that a finding refers to is in the policy now; null: it has no such step any more. */
export function placeNow(finding: Finding | undefined, policy: Policy, step: number): number | null {
  if (finding?.steps === undefined) return step < policy.steps.length ? step : null;
  return samePlaces(finding.steps, stepMarks(policy)).get(step) ?? null;
}

/** Nothing has changed, or only steps after these are gone. */
function isPrefix(now: readonly StepMark[], before: readonly StepMark[]): boolean {
  return now.every((mark, index) => {
    const earlier = before[index];
    return earlier !== undefined && isAlike(mark, earlier, ['at', 'does', 'to']);
  });
}

/** The more a step is like one of before, the sooner it is that one; one whose threshold alone changed still is. */
const likenesses: readonly (readonly (keyof StepMark)[])[] = [
  ['at', 'does', 'to'],
  ['at', 'does'],
  ['does', 'to'],
];

/** Where each of these steps is now; those that are gone are left out. */
function samePlaces(before: readonly StepMark[], now: readonly StepMark[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  const taken = new Set<number>();
  for (const likeness of likenesses) {
    for (const [index, mark] of before.entries()) {
      if (places.has(index)) continue;
      const place = now.findIndex(
        (one, at) =>
          !taken.has(at) &&
          isAlike(one, mark, likeness) &&
          (likeness.includes('at') || keepsOrder(places, index, at)),
      );
      if (place < 0) continue;
      places.set(index, place);
      taken.add(place);
    }
  }
  return places;
}

/** A step whose threshold changed past that of another that stayed is a new one, and the old one is gone. */
function keepsOrder(places: ReadonlyMap<number, number>, index: number, place: number): boolean {
  return [...places].every(([before, now]) => before < index === now < place);
}

function isAlike(one: StepMark, other: StepMark, fields: readonly (keyof StepMark)[]): boolean {
  return fields.every((field) => one[field] === other[field]);
}
