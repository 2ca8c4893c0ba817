/** Conditions of the whole program: told once when they begin, once when they are over. */
import type { SystemAlert } from './alert.ts';
import type { EpochMs } from './key.ts';
import type { Trouble } from './plan.ts';
import type { PolicyFile } from './policy.ts';

/** Troubles that were told and are not over, by code. */
export type Told = Readonly<Record<string, { readonly since: EpochMs; readonly title: string }>>;

export function tellTroubles(
  told: Told,
  current: readonly Trouble[],
  /** Codes that could not be judged in this pass: neither begun nor over. */
  undecided: (code: string) => boolean,
  context: { readonly now: EpochMs; readonly policy: PolicyFile },
): { told: Told; alerts: readonly SystemAlert[] } {
  const next: Record<string, Told[string]> = {};
  const alerts: SystemAlert[] = [];
  const channels = systemChannels(context.policy);
  const say = (
    code: string,
    since: EpochMs,
    alert: Pick<SystemAlert, 'severity' | 'title' | 'text'>,
    over: boolean,
  ): void => {
    const id = `system/${code}/${String(since)}${over ? '/over' : ''}`;
    alerts.push({
      topic: 'system',
      id,
      at: context.now,
      timeZone: context.policy.timeZone,
      channels,
      ...alert,
    });
  };
  for (const trouble of current) {
    const known = told[trouble.code];
    next[trouble.code] = { since: known?.since ?? context.now, title: trouble.title };
    if (known === undefined) say(trouble.code, context.now, trouble, false);
  }
  for (const [code, known] of Object.entries(told)) {
    if (next[code] !== undefined) continue;
    if (undecided(code)) next[code] = known;
    else
      say(
        code,
        known.since,
        { severity: 'info', title: `Over: ${known.title}`, text: 'This is no longer so.' },
        true,
      );
  }
  return { told: next, alerts };
}

/**
 * Who hears about Keywarden itself: the fixed channels (not those addressed by a key's metadata)
 * that its deletions and renames are told to, or else every fixed channel.
 */
export function systemChannels(policy: PolicyFile): readonly string[] {
  const fixed = [...policy.channels.values()]
    .filter((channel) => channel.kind !== 'email' || channel.to.every((to) => to.variables.length === 0))
    .map((channel) => channel.name);
  const grave = new Set(
    policy.policies.flatMap((one) =>
      one.steps.filter((step) => step.delete ?? step.rename).flatMap((step) => step.alert),
    ),
  );
  const chosen = fixed.filter((name) => grave.has(name));
  return chosen.length > 0 ? chosen : fixed;
}
