/** Writing down and telling: documents, and the alerts that go out with them, in one transaction. */
import type { ActPorts } from '../act/carry-out.ts';
import type { Trouble } from '../core/plan.ts';
import type { PolicyFile } from '../core/policy.ts';
import type { RecordEntry } from '../core/state.ts';
import { tellTroubles } from '../core/troubles.ts';
import type { Told } from '../core/troubles.ts';
import { mostCautious } from '../core/court.ts';
import { remember } from '../memory.ts';
import type { Memory } from '../memory.ts';
import type { PassPorts } from './ports.ts';

export type Commit = ActPorts['commit'];

export function committer(
  ports: Pick<PassPorts, 'route' | 'store' | 'clock' | 'mode'>,
  memory: Memory,
  policy: PolicyFile,
  batch: string,
  { keeps = false } = {},
): Commit {
  return async (documents, alerts) => {
    // A dry run says nothing, whatever it decides. What is to be kept waits in the outbox until it is over.
    const sends = keeps || mostCautious(policy.mode, ports.mode) !== 'dry-run';
    const routed = sends ? ports.route(alerts, policy, batch) : { items: [], undeliverable: [] };
    const newest = routed.items.at(-1);
    const lost = routed.undeliverable.map(({ alert, channel, because }): RecordEntry => {
      return {
        at: ports.clock.now(),
        kind: 'alert-undeliverable',
        facts: { alert: alert.id, channel, because },
      };
    });
    await remember(ports.store, memory, {
      ...documents,
      ...(newest === undefined ? {} : { meta: { ...documents.meta, postedAt: String(newest.createdAt) } }),
      outbox: routed.items,
      record: [...(documents.record ?? []), ...lost],
    });
  };
}

/** What only a pass that judged can say to be over. */
export function needsJudging(code: string): boolean {
  return !['api', 'policy-file', 'state'].includes(code);
}

/** Troubles that are new or over, told. `undecided`: those that this pass says nothing about. */
export async function commitTroubles(
  memory: Memory,
  context: Parameters<typeof tellTroubles>[3],
  troubles: readonly Trouble[],
  undecided: (code: string) => boolean,
  commit: Commit,
): Promise<void> {
  const before = memory.meta.get('troubles') ?? '{}';
  const next = tellTroubles(JSON.parse(before) as Told, troubles, undecided, context);
  const told = JSON.stringify(next.told);
  if (next.alerts.length === 0 && told === before) return;
  const record = next.alerts.map((alert): RecordEntry => {
    return { at: alert.at, kind: 'trouble', facts: { title: alert.title, text: alert.text } };
  });
  await commit({ meta: { troubles: told }, record }, next.alerts);
}
