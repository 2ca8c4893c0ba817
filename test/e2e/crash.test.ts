/** Killed in the middle of a change or of an alert: the next start finds out, finishes, and hits nothing twice. */
import { expect, test } from 'vitest';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import { arrival, dayMs, hourMs, stage, type Stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
      - { at: 120%, alert: pager, delete: { notice: 24h } }
`;

/** Longer than the process that waits for it will live. */
const hangs = { kind: 'delay', ms: 2000 } as const;

/** One pass in a process that is killed as soon as `moment` has come. */
async function killedAt(s: Stage, moment: Promise<unknown>): Promise<void> {
  const child = s.start(['run', '--once']);
  await Promise.race([moment, child.ended]);
  child.kill('SIGKILL');
  expect(await child.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  s.sandbox.faults.clear();
  await intact(s);
}

async function intact(s: Stage): Promise<void> {
  const { code, out } = await s.run(['audit', '--verify']);
  expect([code, out]).toEqual([0, expect.stringContaining('The record is whole')]);
}

/** The request comes and never takes effect; or it does, and the answer is never heard. */
const orders = {
  'before it takes effect': (s: Stage, endpoint: 'delete' | 'rename') => {
    s.sandbox.faults.add({ endpoint, fault: hangs, times: 1 });
    s.sandbox.faults.add({ endpoint, fault: { kind: 'cut', when: 'before' }, times: 1 });
    return arrival(s.hanging);
  },
  'after it took effect': (s: Stage, endpoint: 'delete' | 'rename') => {
    const kind = `${endpoint}d` as const;
    return arrival(s.sandbox.world.log, (event) => event.kind === kind && event.by === 'api');
  },
};

const done = (s: Stage): string[] =>
  s.sandbox.world.log.items
    .filter(({ by }) => by === 'api')
    .map(({ kind, id, to }) => `${kind} ${id}${to === null ? '' : ` ${to}`}`);

/** Two keys with the notice of the first about to be over. */
async function due(s: Stage): Promise<readonly [WorldKey, WorldKey]> {
  s.policy(rule, { limits: '{ delete: { per_run: 3, per_day: 3, percent: 100 } }' });
  const keys = [s.key('User 7'), s.key('User 8')] as const;
  await s.pass();
  s.spend(keys[0], 25);
  s.clock.advance(hourMs);
  await s.pass();
  s.clock.advance(dayMs);
  return keys;
}

test.concurrent.for(Object.entries(orders))('killed during a deletion, %s', async ([_, order], t) => {
  const s = await stage(t);
  const [key, other] = await due(s);
  await killedAt(s, order(s, 'delete'));
  for (let pass = 0; pass < 2; pass++) await s.pass();
  expect(done(s)).toEqual([`renamed ${key.id} OVER User 7`, `deleted ${key.id}`]);
  expect(s.told()).toEqual(['notice cap User 7', 'deleted cap OVER User 7']);
  expect(s.nameOf(other)).toBe('User 8');
  await intact(s);
});

test.concurrent.for(Object.entries(orders))(
  'killed during a rename, %s; the name still comes back',
  async ([_, order], t) => {
    const s = await stage(t);
    s.policy(rule);
    const key = s.key('User 7');
    await s.pass();
    s.spend(key, 21);
    s.clock.advance(hourMs);
    await killedAt(s, order(s, 'rename'));
    for (let pass = 0; pass < 2; pass++) await s.pass();
    expect(done(s)).toEqual([`renamed ${key.id} OVER User 7`]);
    expect(s.told()).toEqual(['step cap User 7']);
    s.clock.advance(30 * dayMs);
    await s.pass();
    expect(s.nameOf(key)).toBe('User 7');
    await intact(s);
  },
);

test.concurrent(
  'a person renames the key between a crash in the middle of its deletion and the next start',
  async (t) => {
    const s = await stage(t);
    const [key] = await due(s);
    await killedAt(s, orders['before it takes effect'](s, 'delete'));
    s.sandbox.world.renameByPerson(key.secret, 'User 7 is mine');
    await s.pass();
    s.clock.advance(dayMs);
    await s.pass();
    expect([s.nameOf(key), s.told(1)]).toEqual(['User 7 is mine', ['vetoed cap User 7 is mine']]);
  },
);

test.concurrent.for(Object.entries(orders))(
  'killed during a rename, %s, and renamed by a person before the next start: it is not tried again',
  async ([_, order], t) => {
    const s = await stage(t);
    s.policy(rule);
    const key = s.key('User 7');
    await s.pass();
    s.spend(key, 21);
    s.clock.advance(hourMs);
    await killedAt(s, order(s, 'rename'));
    const before = done(s).length;
    s.sandbox.world.renameByPerson(key.secret, 'User 7 is mine');
    for (let pass = 0; pass < 3; pass += 1) {
      await s.pass();
      s.clock.advance(hourMs);
    }
    expect(done(s)).toHaveLength(before);
    expect(s.nameOf(key)).toBe('User 7 is mine');
  },
);

const alertRule = (channel: string): string => `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps: [ { at: 100%, alert: ${channel} } ]
`;

interface Receiver {
  /** Lets the next message hang, and then be lost, before it is taken in. */
  readonly lose: (s: Stage) => void;
  /** Resolves when a message was taken in, before the sender hears of it. */
  readonly takenIn: (s: Stage) => Promise<unknown>;
  /** What is the same for the same message, of each that was taken in. */
  readonly ids: (s: Stage) => readonly unknown[];
}

const receivers: Record<string, Receiver> = {
  pager: {
    lose: (s) => {
      s.sandbox.faults.add({ endpoint: 'webhook', fault: hangs, times: 1 });
      s.sandbox.faults.add({ endpoint: 'webhook', fault: { kind: 'cut', when: 'before' }, times: 1 });
    },
    takenIn: (s) => arrival(s.sandbox.webhook.received),
    ids: (s) => s.sandbox.webhook.received.items.map(({ headers }) => headers['webhook-id']),
  },
  ops: {
    lose: (s) => {
      s.sandbox.faults.add({ endpoint: 'slack', fault: hangs, times: 1 });
      s.sandbox.faults.add({ endpoint: 'slack', fault: { kind: 'cut', when: 'before' }, times: 1 });
    },
    takenIn: (s) => arrival(s.sandbox.slack.received),
    ids: (s) => s.sandbox.slack.received.items.map(({ body }) => JSON.stringify(body)),
  },
  owner: {
    lose: (s) => {
      s.sandbox.inbox.disturb({ stage: 'data', ...hangs, times: 1 });
      s.sandbox.inbox.disturb({ stage: 'data', kind: 'drop', times: 1 });
    },
    takenIn: (s) => {
      s.sandbox.inbox.disturb({ stage: 'kept', ...hangs, times: 1 });
      return arrival(s.sandbox.inbox.mails);
    },
    ids: (s) =>
      s.sandbox.inbox.mails.items.map(
        ({ headers }) => headers.find(({ key }) => key === 'message-id')?.value,
      ),
  },
};

test.concurrent.for(Object.entries(receivers))(
  'killed while %s is told: told again, as the same message',
  async ([name, receiver], t) => {
    const s = await stage(t);
    s.policy(alertRule(name));
    const key = s.key('User 7');
    await s.pass();
    s.spend(key, 21);
    s.clock.advance(hourMs);
    receiver.lose(s);
    await killedAt(s, arrival(s.hanging));
    expect(receiver.ids(s)).toEqual([]);
    await killedAt(s, receiver.takenIn(s));
    for (let pass = 0; pass < 2; pass++) await s.pass();
    const [first, ...rest] = receiver.ids(s);
    expect(first).toBeTruthy();
    expect(rest).toEqual([first]);
  },
);
