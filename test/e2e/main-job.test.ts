/** The main job over weeks. Each look is a process of its own, so every step survives a restart. */
import { expect, test } from 'vitest';
import { dayMs, hourMs, minuteMs, stage, start, type Stage } from './harness.ts';

const freeTier = `
policies:
  - name: free-tier
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 80%, alert: [owner, pager] }
      - { at: 100%, alert: [owner, ops, pager], rename: "OVER BUDGET {{ name }}" }
      - { at: 120%, alert: [owner, ops, pager], delete: { notice: 24h } }
`;

const subjects = (s: Stage): string[] => s.sandbox.inbox.mails.items.map(({ subject }) => subject);
const slackTexts = (s: Stage): unknown[] =>
  s.sandbox.slack.received.items.map(({ body }) => (body as { text: unknown }).text);
const changes = (s: Stage): string[] =>
  s.sandbox.world.log.items
    .filter(({ by }) => by === 'api')
    .map(({ kind, from, to }) => [kind, from, to].filter((part) => part !== null).join(' '));

/** Another pass, `ms` later. */
async function later(s: Stage, ms: number): Promise<void> {
  s.clock.advance(ms);
  await s.pass();
}

test.concurrent(
  'a key over its budget is told of, renamed, given notice, deleted after it, and told of again',
  async (t) => {
    const s = await stage(t);
    s.policy(freeTier);
    const key = s.key('User 7');
    const other = s.key('Somebody else');
    await s.pass();
    s.spend(key, 15.99);
    s.spend(other, 100);
    await later(s, hourMs);
    expect(s.told()).toEqual([]);

    s.spend(key, 0.01);
    await later(s, hourMs);
    expect(subjects(s)).toEqual(['“User 7” has used 80% of its $20 budget']);
    expect(s.sandbox.inbox.mails.items[0]?.to).toEqual(['ana@example.com']);
    expect([s.nameOf(key), slackTexts(s)]).toEqual(['User 7', []]);

    s.spend(key, 5);
    await later(s, hourMs);
    expect(s.nameOf(key)).toBe('OVER BUDGET User 7');
    expect(subjects(s).slice(1)).toEqual(['“User 7” has used 105% of its $20 budget']);

    s.spend(key, 4);
    await later(s, hourMs);
    const notice = '“OVER BUDGET User 7” will be deleted in 24 hours';
    expect(subjects(s).slice(2)).toEqual([notice]);
    expect(slackTexts(s).at(-1)).toContain(notice);
    const acceptedAt = s.clock.now();

    await later(s, hourMs);
    s.clock.advance(acceptedAt + dayMs - 20_000 - s.clock.now());
    await s.pass();
    expect(s.nameOf(key)).toBe('OVER BUDGET User 7');
    await later(s, 20_000);
    expect(s.nameOf(key)).toBeNull();
    await later(s, hourMs);

    const kinds = ['step', 'step', 'notice', 'deleted'];
    expect(s.pager().map(({ kind }) => kind)).toEqual(kinds);
    expect(new Set(s.pager().map(({ id }) => id)).size).toBe(4);
    expect(subjects(s).slice(3)).toEqual(['“OVER BUDGET User 7” was deleted']);
    expect(slackTexts(s)).toHaveLength(3);
    expect(changes(s)).toEqual(['renamed User 7 OVER BUDGET User 7', 'deleted OVER BUDGET User 7']);
    expect(s.nameOf(other)).toBe('Somebody else');
  },
);

test.concurrent('a new month gives the name back and says once that it is over', async (t) => {
  const s = await stage(t);
  s.policy(freeTier);
  const key = s.key('User 7');
  await s.pass();
  s.spend(key, 21);
  await later(s, hourMs);
  expect(s.nameOf(key)).toBe('OVER BUDGET User 7');
  s.clock.advance(Date.parse('2026-11-30T23:59:30Z') - s.clock.now());
  await s.pass();
  expect(s.nameOf(key)).toBe('OVER BUDGET User 7');
  await later(s, 30 * minuteMs);
  await later(s, hourMs);
  expect(s.told()).toEqual(['step free-tier User 7', 'resolved free-tier OVER BUDGET User 7']);
  expect(changes(s)).toEqual(['renamed User 7 OVER BUDGET User 7', 'renamed OVER BUDGET User 7 User 7']);
  s.spend(key, 16);
  await later(s, hourMs);
  expect(s.told(2)).toEqual(['step free-tier User 7']);
});

test.concurrent('an expired key is announced, renamed, given notice and deleted', async (t) => {
  const s = await stage(t);
  s.policy(`
policies:
  - name: expired
    select: all
    expiry: {}
    steps:
      - { before: 2d, alert: pager }
      - { after: 0s, alert: pager, rename: "EXPIRED {{ name }}" }
      - { after: 1d, alert: [pager, owner], delete: { notice: 24h } }
`);
  const key = s.key('User 7', { expiresAt: start + 3 * dayMs });
  s.spend(s.key('Busy'), 1);
  await s.pass();
  expect(s.told()).toEqual([]);
  await later(s, dayMs + hourMs);
  expect(s.told()).toEqual(['step expired User 7']);
  await later(s, dayMs);
  await later(s, dayMs);
  expect(s.nameOf(key)).toBe('EXPIRED User 7');
  await later(s, dayMs);
  expect(s.told(2)).toEqual(['notice expired EXPIRED User 7']);
  await later(s, dayMs - minuteMs);
  expect(s.nameOf(key)).toBe('EXPIRED User 7');
  await later(s, minuteMs);
  expect(s.nameOf(key)).toBeNull();
  expect(s.told()).toEqual([
    'step expired User 7',
    'step expired User 7',
    'notice expired EXPIRED User 7',
    'deleted expired EXPIRED User 7',
  ]);
});

test.concurrent('an idle key is changed only after two readings of its own, ten minutes apart', async (t) => {
  const s = await stage(t);
  s.policy(`
policies:
  - name: idle
    select: { name: "User *" }
    idle: { for: 10d }
    steps:
      - { alert: pager }
      - { after: 1d, rename: "IDLE {{ name }}" }
      - { after: 2d, alert: [pager, owner], delete: { notice: 24h } }
`);
  const key = s.key('User 7');
  s.spend(key, 1);
  const busy = s.key('Busy');
  const readings = () => s.requests.items.filter(({ path }) => path.startsWith('/api/billing/usage/key'));
  await s.pass();
  for (let day = 0; day < 10; day++) {
    s.spend(busy, 1);
    s.clock.advance(dayMs);
  }
  await later(s, hourMs);
  expect(s.told()).toEqual(['step idle User 7']);
  const first = readings().length;
  // One of its own readings says so already; the rename needs another, on a pass of its own.
  expect([s.nameOf(key), first > 0]).toEqual(['User 7', true]);
  s.clock.advance(dayMs);
  await s.pass();
  expect([s.nameOf(key), readings().length > first]).toEqual(['IDLE User 7', true]);
  await later(s, dayMs);
  expect(s.told(1)).toEqual(['notice idle IDLE User 7']);
  await later(s, dayMs);
  await later(s, 10 * minuteMs);
  expect(s.nameOf(key)).toBeNull();
  expect(s.told(2)).toEqual(['deleted idle IDLE User 7']);
});

test.concurrent('an idle key that is used again during its notice stays', async (t) => {
  const s = await stage(t);
  s.policy(`
policies:
  - name: idle
    select: { name: "User *" }
    idle: { for: 10d }
    steps:
      - { alert: [pager], delete: { notice: 24h } }
`);
  const key = s.key('User 7');
  s.spend(key, 1);
  s.spend(s.key('Busy'), 1);
  await s.pass();
  await later(s, 10 * dayMs + hourMs);
  expect(s.told()).toEqual(['notice idle User 7']);
  s.spend(key, 0.01);
  await later(s, dayMs + hourMs);
  await later(s, 11 * minuteMs);
  expect(s.nameOf(key)).toBe('User 7');
  expect(s.told(1)).toEqual(['resolved idle User 7']);
});
