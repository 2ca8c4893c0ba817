/** A few short histories in which much is at stake, to be broken off at each of their points. */
import type { Act, KeyPlan, Plan } from './plan.ts';
import type { FileShape, PolicyShape } from './policies.ts';
import type { Stage } from './stage.ts';
import { hourMs, minuteMs } from './units.ts';

export interface Sweep {
  readonly name: string;
  readonly plan: Plan;
  /** What is to have come of it, wherever it was broken off; null: it has. */
  missing(stage: Stage): string | null;
}

const key = (name: string, more: Partial<KeyPlan> = {}): KeyPlan => {
  return {
    ...{ name, ageDays: 40, usdPerDay: 0, momentsPerDay: 2, model: 'gpt-oss-120b' },
    metadata: { plan: 'free', team: 'ml', email: 'user@example.com' },
    ...more,
  };
};

const file = (policies: readonly PolicyShape[], more: Partial<FileShape> = {}): FileShape => {
  return {
    ...{
      mode: 'enforce',
      timeZone: 'UTC',
      channels: ['ops', 'mail', 'owner'],
      quiet: {},
      allowDomains: null,
    },
    ...{ protect: [], silences: [], policies },
    limits: {
      delete: { perRun: 5, perDay: 5, percent: 100 },
      rename: { perRun: 5, perDay: 5, percent: null },
    },
    ...more,
  };
};

const daily = (steps: PolicyShape['steps']): PolicyShape => {
  return {
    name: 'daily',
    select: {},
    rule: {
      kind: 'spend',
      measure: 'cost',
      limit: 3,
      per: 'day',
      timeZone: 'UTC',
      across: 'key',
      models: null,
    },
    steps,
  };
};

const plan = (days: number, inForce: FileShape, acts: readonly Act[]): Plan => {
  const keys = [key('User 1'), key('User 2'), key('User 3'), key('svc 4'), key('svc 5'), key('svc 6')];
  return { seed: 1, days, intervalMs: 30 * minuteMs, variants: {}, keys, file: inForce, acts };
};

/** Key 0 goes over the limit. */
const overspent: Act = { kind: 'spend', key: 0, usd: 11, atMs: 20 * minuteMs };

const changes = ({ chronicle }: Stage, what: string): number =>
  chronicle.entries.filter((one) => one.kind === 'changed' && one.n !== null && one.what === what).length;

const heard = ({ chronicle }: Stage, event: string): boolean =>
  chronicle.entries.some(
    (one) => one.kind === 'accepted' && one.alerts.some((alert) => alert.event === event),
  );

const unless = (done: boolean, what: string): string | null => (done ? null : what);

export const sweeps: readonly Sweep[] = [
  {
    name: 'a deletion after its notice',
    plan: plan(0.15, file([daily([{ at: 100, alert: ['ops', 'owner'], deleteNoticeMs: hourMs }])]), [
      overspent,
    ]),
    missing: (stage) =>
      unless(
        changes(stage, 'deleted') === 1 && heard(stage, 'notice') && heard(stage, 'deleted'),
        'the deletion',
      ),
  },
  {
    name: 'a rename and its restore',
    // The day ends 16 and a half hours after the beginning.
    plan: plan(0.75, file([daily([{ at: 100, alert: ['ops'], renamePrefix: 'OVER' }])]), [
      { ...overspent, atMs: 15.7 * hourMs },
    ]),
    missing: (stage) =>
      unless(
        changes(stage, 'renamed') === 2 && stage.keys[0]?.name === 'User 1' && heard(stage, 'resolved'),
        'the rename or the restore',
      ),
  },
  {
    name: 'a digest after quiet hours',
    plan: plan(
      0.2,
      file([daily([{ at: 100, alert: ['ops', 'mail'] }])], {
        quiet: { ops: { from: 7, to: 10, except: ['notice'] } },
      }),
      [overspent, { kind: 'spend', key: 1, usd: 11, atMs: 80 * minuteMs }],
    ),
    missing: ({ chronicle: { entries } }) =>
      unless(
        entries.some((one) => one.kind === 'accepted' && one.channel === 'ops' && one.alerts.length > 1),
        'the digest',
      ),
  },
  {
    name: 'a new policy file',
    plan: plan(0.15, file([daily([{ at: 100, alert: ['ops'], renamePrefix: 'OVER' }])]), [
      { kind: 'file', file: file([]), atMs: 10 * minuteMs },
      overspent,
      {
        kind: 'file',
        file: file([daily([{ at: 50, alert: ['mail'], renamePrefix: 'HALF' }])]),
        atMs: 75 * minuteMs,
      },
    ]),
    missing: (stage) =>
      unless(
        changes(stage, 'renamed') === 1 && stage.keys[0]?.name === 'HALF User 1',
        'the rename by the new file',
      ),
  },
];
