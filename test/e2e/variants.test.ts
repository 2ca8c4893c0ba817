/** One week, lived through in every way the Admin API might behave: the same keys are changed, and no other. */
import { expect, test } from 'vitest';
import type { Variants } from '../../src/sandbox/variants.ts';
import { dayMs, hourMs, minuteMs, stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: ["User *", "Twin"] }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
      - { at: 120%, alert: pager, delete: { notice: 24h } }
  - name: whole-account
    select: all
    spend: { cost: 1000, per: month, across: account }
    steps: [ { at: 1%, alert: ops } ]
`;

/** Every pair of the two that matter most, with all values of the others spread over them. */
const ways: readonly Partial<Variants>[] = [
  { renameHistory: 'follows', sharedNames: 'merged', deletedInAggregate: 'listed', noUsageRows: 'absent' },
  { renameHistory: 'follows', sharedNames: 'last-wins', deletedInAggregate: 'gone', listOrder: 'shuffled' },
  {
    renameHistory: 'splits',
    sharedNames: 'merged',
    noUsageRows: 'zeros',
    deleteMissing: 200,
    absent: 'null',
  },
  { renameHistory: 'splits', sharedNames: 'last-wins', deletedInAggregate: 'gone', errorBody: 'error' },
  {
    renameHistory: 'stays',
    sharedNames: 'merged',
    listOrder: 'shuffled',
    extras: true,
    timeOffset: '+02:00',
  },
  {
    renameHistory: 'stays',
    sharedNames: 'last-wins',
    noUsageRows: 'zeros',
    deletedInAggregate: 'listed',
    rateLimit: { perMinute: 30, retryAfter: 'date' },
  },
];

test.concurrent.for(ways.map((variants) => [JSON.stringify(variants), variants] as const))(
  '%s',
  async ([_, variants], t) => {
    const s = await stage(t, { variants });
    s.policy(rule, { limits: '{ delete: { per_run: 9, per_day: 9, percent: 100 } }' });
    const over = s.key('User 1');
    const modest = s.key('User 2');
    const renamed = s.key('User 3');
    const deleted = s.key('User 4');
    const [twin, otherTwin] = [s.key('Twin'), s.key('Twin')];
    const quiet = s.key('User 6');
    for (const key of [modest, deleted, renamed]) s.spend(key, 3);
    await s.pass();

    s.clock.advance(hourMs);
    s.spend(over, 21);
    s.spend(renamed, 10);
    s.spend(twin, 25);
    s.spend(otherTwin, 4);
    await s.pass();
    s.clock.advance(hourMs);
    s.sandbox.world.renameByPerson(renamed.secret, 'User 33');
    s.sandbox.world.deleteByPerson(deleted.secret);
    s.spend(over, 5);
    s.spend(renamed, 8);
    s.spend(modest, 5);
    await s.pass();
    s.clock.advance(dayMs + minuteMs);
    await s.pass();
    // Their old names come back on other keys, which have spent little.
    const heirs = ['User 1', 'Twin', 'User 3'].map((name) =>
      s.key(name, { createdAt: s.clock.now() - minuteMs }),
    );
    heirs.forEach((key) => s.spend(key, 1));
    s.clock.advance(hourMs);
    await s.pass();
    s.clock.advance(3 * dayMs);
    await s.pass();

    const changes = s.sandbox.world.log.items
      .filter(({ by }) => by === 'api')
      .map(({ kind, id, to }) => [kind, id, to].filter((part) => part !== null).join(' '));
    expect(changes.toSorted()).toEqual(
      [
        `renamed ${over.id} OVER User 1`,
        `renamed ${twin.id} OVER Twin`,
        `deleted ${over.id}`,
        `deleted ${twin.id}`,
        `renamed ${renamed.id} OVER User 33`,
      ].toSorted(),
    );
    expect([quiet, modest, otherTwin, ...heirs].map(s.nameOf)).toEqual([
      'User 6',
      'User 2',
      'Twin',
      'User 1',
      'Twin',
      'User 3',
    ]);
    // What was told of a key never claims more than it had truly spent.
    for (const { subject, figures } of s.pager()) {
      const key = s.sandbox.world.everyKey().find(({ id }) => id === subject?.id);
      if (key === undefined || figures === undefined) continue;
      const spent = s.sandbox.world.lifetime(key.secret).costMicroUsd / 1_000_000;
      expect(Number(figures.level.low)).toBeLessThanOrEqual(spent);
    }
    const { out } = await s.run(['plan', '--output', 'json']);
    const { findings } = JSON.parse(out) as {
      findings: { policy: string; level: { low: string; high: string | null } }[];
    };
    const account = findings.find(({ policy }) => policy === 'whole-account');
    const truth = s.sandbox.world
      .everyKey()
      .reduce((sum, { secret }) => sum + s.sandbox.world.lifetime(secret).costMicroUsd, 0);
    expect(Number(account?.level.low)).toBeLessThanOrEqual(truth / 1_000_000);
    expect(Number(account?.level.high ?? Infinity)).toBeGreaterThanOrEqual(truth / 1_000_000);
  },
);
