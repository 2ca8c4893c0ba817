/**
 * Many keys do not stop being used in the same minute; a vendor's usage report that is broken makes it look
 * so. Keys that fall idle together prove nothing, until it has stayed so for a day.
 */
import { caseKey } from './judgement.ts';
import type { Bench, Judgement } from './judgement.ts';
import type { Trouble } from './plan.ts';
import type { Policy } from './policy.ts';

/** More than this part of the account's keys, and more than so many. */
const massPart = 0.2;
const massKeys = 5;
const believedAfterMs = 24 * 3_600_000;

/** Changes when the same keys may be idle by it for another reason than that time has passed. */
export function idleSignature({ name, rule }: Policy): string | null {
  return rule.kind === 'idle' ? `${name} ${String(rule.forMs)}` : null;
}

/** `all`: by policy. */
export function withoutMassIdle(
  all: readonly (readonly Judgement[])[],
  bench: Bench,
): { judgements: Judgement[]; massIdle: string | null } {
  const { massSince } = bench.idleBefore;
  const believed = massSince !== null && bench.now - massSince >= believedAfterMs;
  const most = Math.max(massKeys, bench.live.length * massPart);
  let massIdle: string | null = null;
  const judgements = all.flatMap((ofPolicy) => {
    const fresh = believed ? [] : ofPolicy.filter((one) => isNews(one, bench));
    if (fresh.length <= most) return ofPolicy;
    massIdle ??= `${String(fresh.length)} of ${String(bench.live.length)} keys fell idle at once by ${fresh[0]?.policy.name ?? ''}`;
    return ofPolicy.filter((one) => !fresh.includes(one));
  });
  return { judgements, massIdle };
}

/** Idle now, by a rule by which it was not idle in the pass before. */
function isNews({ policy, subject, reached }: Judgement, { idleBefore, open }: Bench): boolean {
  const signature = idleSignature(policy);
  if (signature === null || reached.length === 0 || !idleBefore.judgedBy.has(signature)) return false;
  return !open.has(caseKey(policy.name, subject));
}

export function massIdleTrouble(massIdle: string | null): Trouble[] {
  if (massIdle === null) return [];
  const text = `${massIdle}. That proves nothing: nothing is renamed or deleted, and none is taken for idle, until it has stayed so for a day.`;
  return [{ code: 'mass-idle', severity: 'critical', title: 'Many keys fell idle at once', text }];
}
