/** Conditions of the whole program: told once when they begin, once when they are over. */
import type { SystemAlert } from './alert.ts';
import { isAddressedByKey } from './court.ts';
import type { EpochMs } from './key.ts';
import type { Trouble } from './plan.ts';
import type { Mode, PolicyFile } from './policy.ts';

/** A trouble that is not over. */
interface ToldTrouble {
  readonly since: EpochMs;
  readonly title: string;
  /** It began in a dry run, which tells nobody. */
  readonly unsaid?: true;
  readonly notBy?: string;
  /** The channels that it was told to. */
  readonly heardBy?: readonly string[];
}

/** By code. */
export type Told = Readonly<Record<string, ToldTrouble>>;

export function tellTroubles(
  told: Told,
  current: readonly Trouble[],
  /** Codes that could not be judged in this pass: neither begun nor over. */
  undecided: (code: string) => boolean,
  context: { readonly now: EpochMs; readonly policy: PolicyFile; readonly mode: Mode },
): { told: Told; alerts: readonly SystemAlert[] } {
  const next: Record<string, Told[string]> = {};
  const alerts: SystemAlert[] = [];
  const dry = context.mode === 'dry-run';
  const say = (
    code: string,
    since: EpochMs,
    alert: Pick<SystemAlert, 'severity' | 'title' | 'text' | 'channels'>,
    over: boolean,
  ): void => {
    const id = `system/${code}/${String(since)}${over ? '/over' : ''}`;
    alerts.push({
      topic: 'system',
      id,
      at: context.now,
      timeZone: context.policy.timeZone,
      ...alert,
    });
  };
  for (const trouble of current) {
    const known = told[trouble.code];
    const since = known?.since ?? context.now;
    const unsaid = dry && (known === undefined || known.unsaid === true);
    const { severity, title, text, notBy } = trouble;
    const channels = systemChannels(context.policy, notBy);
    const isNew = known === undefined || (known.unsaid === true && !dry);
    const heardBy = isNew ? channels : known.heardBy;
    next[trouble.code] = {
      ...{ since, title },
      ...(unsaid && { unsaid }),
      ...(notBy !== undefined && { notBy }),
      ...(heardBy !== undefined && { heardBy }),
    };
    if (isNew) say(trouble.code, since, { severity, title, text, channels }, false);
  }
  for (const [code, known] of Object.entries(told)) {
    if (next[code] !== undefined) continue;
    // Whoever heard of it hears of its end, if only after a dry run; whoever did not, does not.
    if (undecided(code) || (dry && !known.unsaid)) next[code] = known;
    else if (!known.unsaid) {
      const { channels } = context.policy;
      const still = (known.heardBy ?? []).filter((name) => channels.has(name));
      const heard = [
        still,
        systemChannels(context.policy, known.notBy),
        systemChannels(context.policy),
      ].flat();
      const over = {
        severity: 'info',
        title: `Over: ${known.title}`,
        text: 'This is no longer so.',
      } as const;
      say(code, known.since, { ...over, channels: [...new Set(heard)] }, true);
    }
  }
  return { told: next, alerts };
}

/**
 * Who hears about Keywarden itself: the fixed channels (not those addressed by a key's metadata)
 * that its deletions and renames are told to, or else every fixed channel. `notBy`: one that is of no use.
 */
export function systemChannels(policy: PolicyFile, notBy?: string): readonly string[] {
  const fixed = [...policy.channels.values()]
    .filter(({ name }) => name !== notBy)
    .filter((channel) => !isAddressedByKey(channel))
    .map((channel) => channel.name);
  const grave = new Set(
    policy.policies.flatMap((one) =>
      one.steps.filter((step) => step.delete ?? step.rename).flatMap((step) => step.alert),
    ),
  );
  const chosen = fixed.filter((name) => grave.has(name));
  return chosen.length > 0 ? chosen : fixed;
}
