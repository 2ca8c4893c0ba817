/** An Admin API that fails, lies or changes its mind: nothing is changed on a guess, and it is told once. */
import { expect, test, type TestContext } from 'vitest';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import type { Ended } from './child.ts';
import { arrival, dayMs, hourMs, minuteMs, stage, type Stage, type StageOptions } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
      - { at: 120%, alert: pager, delete: { notice: 24h } }
`;

const writes = (s: Stage): number =>
  s.requests.items.filter(({ method, path }) => method === 'DELETE' || path === '/api/keys/rename').length;

/** Six keys: the notice of one is over, another is due for a rename. */
async function due(
  t: TestContext,
  options: StageOptions = {},
): Promise<{ s: Stage; doomed: WorldKey; over: WorldKey }> {
  const s = await stage(t, options);
  s.policy(rule, { limits: '{ delete: { per_run: 3, per_day: 3, percent: 100 } }' });
  const [doomed, over] = [s.key('User 1'), s.key('User 2')];
  for (let n = 3; n <= 6; n++) s.spend(s.key(`User ${n}`), 1);
  await s.pass();
  s.spend(doomed, 25);
  s.clock.advance(hourMs);
  await s.pass();
  expect(s.told()).toEqual(['notice cap User 1']);
  s.clock.advance(dayMs);
  s.spend(over, 21);
  return { s, doomed, over };
}

const names = (s: Stage, ...keys: readonly WorldKey[]) => keys.map((key) => s.nameOf(key));

const failing: Record<string, FaultRule['fault']> = {
  'a page in place of the answer': { kind: 'html' },
  'an answer that stops halfway': { kind: 'truncated' },
  'an empty answer': { kind: 'empty' },
  'status 500': { kind: 'status', status: 500 },
  'status 429 without a word on when to come back': { kind: 'status', status: 429 },
  'a cut connection': { kind: 'cut', when: 'mid-body' },
  'a list of something else': { kind: 'body', text: '{"keys":[]}' },
  'keys without created_at': { kind: 'missing-field', field: 'created_at' },
  'names that are numbers': { kind: 'set-field', field: 'name', value: 7 },
};

test.concurrent('a list that cannot be read or understood is an error, and nothing is changed', async (t) => {
  const { s, doomed, over } = await due(t, { speed: 20 });
  const before = writes(s);
  for (const fault of Object.values(failing)) {
    const remove = s.sandbox.faults.add({ endpoint: 'list', fault });
    clearly(fault, await s.run(['run', '--once']));
    remove();
  }
  expect([names(s, doomed, over), writes(s)]).toEqual([['OVER User 1', 'User 2'], before]);
  await s.pass();
  expect(names(s, doomed, over)).toEqual([null, 'OVER User 2']);
});

/** One line says what is wrong; no stack. */
function clearly(fault: FaultRule['fault'], { code, err }: Ended): void {
  expect([fault, code]).toEqual([fault, 1]);
  expect(err).toMatch(/^error: http:\/\/127\.0\.0\.1:\d+: .*GET \/api\/keys/m);
  expect(err).not.toMatch(/^\s+at .*:\d+/m);
}

test.concurrent('usage that cannot be read or understood changes nothing, and is told once', async (t) => {
  const { s, doomed, over } = await due(t, { speed: 20 });
  const faults: FaultRule['fault'][] = [
    { kind: 'html' },
    { kind: 'set-field', field: 'cost', value: 'a lot' },
    { kind: 'set-field', field: 'cost', value: -1 },
    { kind: 'missing-field', field: 'cost' },
    { kind: 'empty-list' },
  ];
  for (const fault of faults) {
    const remove = s.sandbox.faults.add({ endpoint: 'usage', fault });
    await s.pass();
    expect([fault, ...names(s, doomed, over)]).toEqual([fault, 'OVER User 1', 'User 2']);
    remove();
    s.clock.advance(minuteMs);
  }
  // Its own reading still says that the second key is over its budget.
  expect(s.told(1)).toEqual(['step cap User 2', 'The account’s usage cannot be read']);
  await s.pass();
  expect(names(s, doomed, over)).toEqual([null, 'OVER User 2']);
  expect(s.told()).toContain('Over: The account’s usage cannot be read');
});

test.concurrent.for([
  ['empty', { kind: 'empty-list' }],
  ['a third shorter', { kind: 'shrunk-list', keep: 0.67 }],
] as const)(
  'a list that is suddenly %s: nothing is changed or closed, and it is told once',
  async ([_, fault], t) => {
    const { s, doomed, over } = await due(t);
    const remove = s.sandbox.faults.add({ endpoint: 'list', fault });
    for (let pass = 0; pass < 2; pass++) {
      await s.pass();
      s.clock.advance(minuteMs);
    }
    expect(names(s, doomed, over)).toEqual(['OVER User 1', 'User 2']);
    expect(s.told(1).filter((one) => !one.startsWith('step'))).toEqual(['The list of keys is implausible']);
    remove();
    await s.pass();
    expect(names(s, doomed, over)).toEqual([null, 'OVER User 2']);
    expect(s.told()).toContain('Over: The list of keys is implausible');
  },
);

test.concurrent.for(['metadata', 'expires_at'])(
  'a list that suddenly lacks %s: nothing is changed or closed by it, and it is told once',
  async (field, t) => {
    const s = await stage(t);
    s.policy(
      `policies:
  - name: ends
    select: { not: { metadata: { keep: "yes" } } }
    expiry: { require_expires_at: true }
    steps: [ { alert: pager, rename: "EXPIRED {{ name }}" } ]
`,
      { protect: '[{ metadata: { critical: "true" } }]' },
    );
    const [ended, lasting] = [s.clock.now() - dayMs, s.clock.now() + dayMs];
    const keys = [
      s.key('Critical', { expiresAt: ended, metadata: { critical: 'true' } }),
      s.key('Kept', { expiresAt: ended, metadata: { keep: 'yes' } }),
      s.key('Lasting', { expiresAt: lasting, metadata: { plan: 'free' } }),
      s.key('Ended', { expiresAt: ended, metadata: { plan: 'free' } }),
    ];
    const asBefore = ['Critical', 'Kept', 'Lasting', 'EXPIRED Ended'];
    await s.pass();
    expect(names(s, ...keys)).toEqual(asBefore);
    const told = s.told().length;
    const remove = s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'missing-field', field } });
    for (let pass = 0; pass < 2; pass++) {
      s.clock.advance(minuteMs);
      await s.pass();
    }
    expect(names(s, ...keys)).toEqual(asBefore);
    expect(s.told(told)).toEqual(['The list of keys is implausible']);
    expect(s.pager().at(-1)?.text).toContain(`the list lacks ${field} of 4 of the 4 keys that had it`);
    remove();
    s.clock.advance(minuteMs);
    await s.pass();
    expect(names(s, ...keys)).toEqual(asBefore);
    expect(s.told(told + 1)).toEqual(['Over: The list of keys is implausible']);
  },
);

test.concurrent.for([404, 200] as const)(
  'a person deletes the key just before Keywarden does, and the API says %i',
  async (status, t) => {
    const { s, doomed, over } = await due(t, { variants: { deleteMissing: status } });
    s.requests.subscribe(({ method }) => {
      if (method === 'DELETE') s.sandbox.world.deleteByPerson(doomed.secret);
    });
    await s.pass();
    await s.pass();
    expect(names(s, doomed, over)).toEqual([null, 'OVER User 2']);
    expect(writes(s)).toBe(3);
    expect(s.told().filter((one) => one.endsWith('User 1'))).toHaveLength(2);
  },
);

test.concurrent(
  'a key that is gone between the look and the change is left alone, and its case is closed',
  async (t) => {
    const { s, doomed } = await due(t);
    let lists = 0;
    s.requests.subscribe(({ method, path }) => {
      if (method === 'GET' && path === '/api/keys' && ++lists === 2)
        s.sandbox.world.deleteByPerson(doomed.secret);
    });
    await s.pass();
    await s.pass();
    expect(s.requests.items.filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(s.told()).toContain('resolved cap OVER User 1');
  },
);

test.concurrent.for([
  ['400', { maxLength: 8 }],
  ['409', 'unique'],
] as const)(
  'a rename that the API refuses with %s is told once a day, not with every pass',
  async ([_, renameRules], t) => {
    const s = await stage(t, { variants: { renameRules } });
    s.policy(rule);
    const key = s.key('User 1');
    s.key('OVER User 1');
    await s.pass();
    s.spend(key, 21);
    for (let pass = 0; pass < 4; pass++) {
      s.clock.advance(hourMs);
      expect((await s.run(['run', '--once'])).err).not.toMatch(/^\s+at /m);
    }
    expect(s.told()).toEqual(['step cap User 1', 'failed cap User 1']);
    expect(writes(s)).toBeLessThanOrEqual(4);
    expect(s.nameOf(key)).toBe('User 1');
  },
);

test.concurrent(
  'an admin key that is revoked is told once; the daemon keeps trying and says when it is over',
  async (t) => {
    const s = await stage(t, { speed: 20 });
    s.policy(rule);
    s.spend(s.key('User 1'), 25);
    const child = s.start([
      'run',
      '--interval',
      '10s',
      '--min-interval',
      '1s',
      '--max-calls-per-minute',
      '10000',
    ]);
    await child.says('pass done');
    await arrival(s.sandbox.webhook.received);
    const restore = s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'status', status: 401 } });
    await arrival(s.sandbox.webhook.received, () => s.told().includes('The Admin API refuses the admin key'));
    const failed = child.log.items.filter(({ msg }) => msg === 'pass failed').length;
    await arrival(
      child.log,
      () => child.log.items.filter(({ msg }) => msg === 'pass failed').length > failed + 2,
    );
    restore();
    await arrival(s.sandbox.webhook.received, () => s.told().some((one) => one.startsWith('Over')));
    expect(s.told().slice(1)).toEqual([
      'The Admin API refuses the admin key',
      'Over: The Admin API refuses the admin key',
    ]);
  },
);

test.concurrent(
  'an API that cannot be reached for a moment is nobody’s business; after five minutes it is',
  async (t) => {
    const s = await stage(t, { speed: 200 });
    s.policy(rule);
    s.key('User 1');
    const child = s.start([
      'run',
      '--interval',
      '30s',
      '--min-interval',
      '1s',
      '--max-calls-per-minute',
      '10000',
    ]);
    await child.says('pass done');
    const since = s.clock.now();
    const restore = s.sandbox.faults.add({ endpoint: 'list', fault: { kind: 'cut', when: 'before' } });
    await arrival(s.sandbox.webhook.received);
    expect(s.sandbox.webhook.received.items[0]?.at).toBeGreaterThan(since + 5 * minuteMs);
    restore();
    await arrival(s.sandbox.webhook.received, () => s.told().length > 1);
    expect(s.told()).toEqual(['The Admin API cannot be read', 'Over: The Admin API cannot be read']);
  },
);

test.concurrent.for([
  [
    'nobody listens',
    () => 'http://127.0.0.1:4',
    /^error: http:\/\/127\.0\.0\.1:4: GET \/api\/keys: .*ECONNREFUSED/m,
  ],
  [
    'TLS is expected of a plain port',
    (s: Stage) => s.sandbox.apiUrl.replace('http', 'https'),
    /^error: https:/m,
  ],
] as const)('where %s: one clear line', async ([_, url, message], t) => {
  const s = await stage(t, { speed: 20 });
  s.policy(rule);
  const { code, err } = await s.run(['run', '--once'], { TINFOIL_API_URL: url(s) });
  expect([code, err]).toEqual([1, expect.stringMatching(message)]);
  expect(err).not.toMatch(/^\s+at .*:\d+/m);
});

test.concurrent(
  'what strangers wrote reaches neither log nor output as it is, and harms no message',
  async (t) => {
    const s = await stage(t, { population: 'hostile', keys: 40 });
    s.policy(`
policies:
  - name: everyone
    select: all
    spend: { cost: 0.01, per: lifetime }
    steps: [ { at: 100%, alert: [ops, pager], rename: "OVER {{ name }}" } ]
  - name: owners
    select: { metadata: { email: "*" } }
    spend: { cost: 0.01, per: lifetime }
    steps: [ { at: 100%, alert: owner } ]
`);
    const plan = await s.run(['plan']);
    const json = await s.run(['plan', '--output', 'json']);
    const pretty = await s.run(['run', '--once', '--log-format', 'pretty']);
    await s.pass();
    const explain = await s.run(['keys']);
    expect([plan.code, json.code, pretty.code, explain.code]).toEqual([0, 0, 0, 0]);
    expect(s.sandbox.world.log.items.length).toBeGreaterThan(20);
    for (const { out, err } of [plan, json, pretty, explain]) {
      expect(out + err).not.toMatch(/[^\n\P{C}]/u);
    }
    expect(s.sandbox.inbox.mails.items.flatMap(({ envelope }) => envelope.to).join()).not.toMatch(
      /victim|evil/,
    );
  },
);
