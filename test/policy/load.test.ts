import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { around, faultsIn, load, monthly, top, valid, withSteps } from './loading.ts';

const firstRule = (rule: string) => valid(withSteps(rule, '{ at: 80%, alert: ops }')).policies[0]?.rule;
const stepsOf = (rule: string, ...steps: string[]) => valid(withSteps(rule, ...steps)).policies[0]?.steps;

describe('the file', () => {
  it('is cautious by default', () => {
    const text = 'version: 1\npolicies: []\n';
    expect(valid(text)).toEqual({
      hash: `sha256:${createHash('sha256').update(text).digest('hex')}`,
      mode: 'dry-run',
      timeZone: 'UTC',
      smtp: null,
      channels: new Map(),
      protect: [],
      limits: {
        delete: { perRun: 3, perDay: 10, percent: 10 },
        rename: { perRun: 50, perDay: 200, percent: null },
      },
      policies: [],
      silences: [],
    });
  });

  it.each(['dry-run', 'alert', 'enforce'])('has the mode %s that it says', (mode) => {
    expect(valid(top(`mode: ${mode}`)).mode).toBe(mode);
  });

  it('keeps the other defaults when some limits are given', () => {
    const { limits } = valid(
      top('limits: { delete: { per_run: 0, percent: 2.5 }, rename: { percent: 5, per_day: 7 } }'),
    );
    expect(limits).toEqual({
      delete: { perRun: 0, perDay: 10, percent: 2.5 },
      rename: { perRun: 50, perDay: 7, percent: 5 },
    });
  });

  it('has policies with a description and a mode of their own, or without', () => {
    const one = 'select: all, expiry: {}, steps: [{ alert: ops }]';
    const text = around(`  - { name: a, ${one} }\n  - { name: b, description: x, mode: alert, ${one} }`);
    expect(valid(text).policies.map(({ name, description, mode }) => [name, description, mode])).toEqual([
      ['a', null, null],
      ['b', 'x', 'alert'],
    ]);
  });

  it('may tell of every key, and change those that a deadline comes nearer to', () => {
    const deleting = 'alert: ops, delete: { notice: 1d } }';
    expect(stepsOf('idle: { for: 7d }', '{ before: 7d, alert: ops }')).toHaveLength(1);
    expect(stepsOf('expiry: { max_age: 7d }', '{ before: 8d, alert: ops }')).toHaveLength(1);
    expect(stepsOf('idle: { for: 7d }', `{ before: 167h, ${deleting}`)).toHaveLength(1);
    expect(stepsOf('expiry: { max_age: 7d }', `{ before: 167h, ${deleting}`)).toHaveLength(1);
    expect(stepsOf('expiry: {}', `{ before: 90d, ${deleting}`)).toHaveLength(1);
  });

  it('may repeat a value by alias', () => {
    const text = withSteps(monthly, '{ at: 80%, alert: &both [ops, owner] }', '{ at: 90%, alert: *both }');
    expect(valid(text).policies[0]?.steps.map((step) => step.alert)).toEqual([
      ['ops', 'owner'],
      ['ops', 'owner'],
    ]);
  });
});

describe('the environment', () => {
  const zoneOf = (written: string, value: string) => {
    const loaded = load(top(`timezone: ${written}`), () => ({ value }));
    return loaded.ok ? loaded.policy.timeZone : formatFaults(loaded.faults);
  };

  it('is put into text, in part or whole', () => {
    expect(zoneOf('${ZONE}', 'Europe/Berlin')).toBe('Europe/Berlin');
    expect(zoneOf('"${AREA}/Berlin"', 'Europe')).toBe('Europe/Berlin');
    expect(zoneOf("'Europe/${CITY}'", 'Berlin')).toBe('Europe/Berlin');
  });

  it('never becomes YAML, nor is replaced twice', () => {
    const hostile = 'UTC\nmode: enforce # ${OTHER}';
    const file = load(
      around('')
        .replace('owner:', 'pager: { webhook: { url: "https://h/${X}" } }\n  owner:')
        .replace('policies:\n', 'policies: []\n'),
      (name) => ({ value: name === 'SMTP_URL' ? 'smtp://h' : name === 'X' ? hostile : 'https://h/' }),
    );
    if (!file.ok) throw new Error(formatFaults(file.faults));
    const pager = file.policy.channels.get('pager');
    expect(file.policy.mode).toBe('dry-run');
    expect(pager?.kind === 'webhook' && pager.url.reveal()).toBe(`https://h/${hostile}`);
  });

  it('may hold an amount', () => {
    const loaded = load(
      withSteps('spend: { cost: "${AMOUNT}", per: day }', '{ at: 80%, alert: ops }'),
      (name) => ({
        value: name === 'AMOUNT' ? '19.99' : name === 'SMTP_URL' ? 'smtp://h' : 'https://h/',
      }),
    );
    expect(loaded.ok && loaded.policy.policies[0]?.rule).toMatchObject({ limit: 19_990_000 });
  });

  it('is never quoted in a fault', () => {
    const text = `version: 1
mode: \${V}
timezone: "\${V}"
smtp: { url: "\${V}", from: "\${V}" }
channels:
  a: { slack: { webhook_url: "\${V}" } }
  b: { email: { to: "\${V}", allow_domains: ["\${V}"] } }
  c: { slack: { webhook_url: "\${V}" }, quiet: { hours: "\${V}", days: "\${V}" } }
policies:
  - name: "\${V}"
    select: { older_than: "\${V}" }
    spend: { cost: "\${V}", per: "\${V}", across: "\${V}", timezone: "\${V}" }
    steps: [{ at: "\${V}", alert: "\${V}", rename: "\${V}", basis: "\${V}" }]
silences: [{ select: "\${V}", until: "\${V}", suppress: "\${V}" }]
`;
    for (const value of ['hunter2 !!', '{{ hunter2 }}', 'https://hunter2']) {
      const faults = faultsIn(text, () => ({ value }));
      expect(faults.length).toBeGreaterThan(12);
      expect(formatFaults(faults) + inspect(faults)).not.toContain('hunter2');
    }
  });
});

describe('channels', () => {
  it('of every kind', () => {
    const { channels, smtp } = valid(`version: 1
timezone: Europe/Berlin
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
  s: { slack: { webhook_url: "\${S}" }, quiet: { hours: "22:00-07:00", days: [sun, mon-fri, fri], except: [notice] } }
  m: { email: { to: [a@b.c, "{{ metadata.email }}"], cc: d@e.f, allow_domains: [Example.COM] }, quiet: { hours: "00:30-01:00" } }
  p: { webhook: { url: "\${P}", secret: "\${X}", allow_private: true } }
  q: { webhook: { url: "http://127.0.0.1:1/" } }
  o: { email: { to: a@b.c } }
policies: []
`);
    expect(smtp?.url.reveal()).toBe('smtps://u:p@mail.example.com:465');
    expect(smtp?.from).toBe('Keywarden <keywarden@example.com>');
    expect([...channels.keys()]).toEqual(['s', 'm', 'p', 'q', 'o']);
    expect(channels.get('s')).toMatchObject({
      kind: 'slack',
      quiet: {
        fromMinute: 1320,
        toMinute: 420,
        days: [1, 2, 3, 4, 5, 7],
        except: ['notice'],
        timeZone: 'Europe/Berlin',
      },
    });
    const mail = channels.get('m');
    if (mail?.kind !== 'email') throw new Error('not e-mail');
    expect(mail.to.map((to) => to.source)).toEqual(['a@b.c', '{{ metadata.email }}']);
    expect(mail.cc.map((cc) => cc.source)).toEqual(['d@e.f']);
    expect(mail.allowDomains).toEqual(['example.com']);
    expect(mail.quiet).toMatchObject({ days: [1, 2, 3, 4, 5, 6, 7], except: [] });
    const pager = channels.get('p');
    expect(pager?.kind === 'webhook' && pager.secret?.reveal()).toBe('https://x.example/X');
    expect(channels.get('o')).toMatchObject({ cc: [], allowDomains: null, quiet: null });
    expect(pager).toMatchObject({ kind: 'webhook', allowPrivate: true, quiet: null });
    expect(channels.get('q')).toMatchObject({ secret: null, allowPrivate: false });
    expect(inspect(channels, { depth: 9 })).not.toContain('x.example');
  });
});

describe('spend', () => {
  it.each([
    [
      '{ cost: 20.00, per: month }',
      { measure: 'cost', limit: 20_000_000, across: { kind: 'key' }, models: null },
    ],
    ['{ cost: 0.000001, per: month }', { limit: 1 }],
    ['{ cost: "19.99", per: month }', { limit: 19_990_000 }],
    ['{ cost: 9007199254.740991, per: month }', { limit: Number.MAX_SAFE_INTEGER }],
    ['{ tokens: 5, per: day }', { measure: 'tokens', limit: 5 }],
    ['{ tokens: max_tokens, per: lifetime }', { limit: 'max_tokens', period: { kind: 'lifetime' } }],
    [
      '{ requests: "7", per: 24h }',
      { measure: 'requests', limit: 7, period: { kind: 'rolling', window: '24h' } },
    ],
    [
      '{ cost: 1, per: month, starts_on: 15 }',
      { period: { kind: 'calendar', unit: 'month', startsOn: 15, timeZone: 'UTC' } },
    ],
    [
      '{ cost: 1, per: week, starts_on: sun }',
      { period: { kind: 'calendar', unit: 'week', startsOn: 7, timeZone: 'UTC' } },
    ],
    ['{ cost: 1, per: week }', { period: { kind: 'calendar', unit: 'week', startsOn: 1, timeZone: 'UTC' } }],
    [
      '{ cost: 1, per: quarter, timezone: Asia/Tokyo }',
      { period: { unit: 'quarter', timeZone: 'Asia/Tokyo' } },
    ],
    ['{ cost: 1, per: day, across: metadata.a.b }', { across: { kind: 'metadata', field: 'a.b' } }],
    ['{ cost: 1, per: day, across: account }', { across: { kind: 'account' } }],
    ['{ cost: 1, per: day, across: selected }', { across: { kind: 'selected' } }],
  ])('%s', (spend, rule) => {
    expect(firstRule(`spend: ${spend}`)).toMatchObject({ kind: 'spend', ...rule });
  });

  it('takes every amount to the micro-dollar, however it is written', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 9_007_199_254_740_991n), fc.boolean(), (micro, quoted) => {
        const decimals = String(micro).padStart(7, '0');
        const text = `${decimals.slice(0, -6)}.${decimals.slice(-6)}`;
        expect(firstRule(`spend: { cost: ${quoted ? `"${text}"` : text}, per: day }`)).toMatchObject({
          limit: Number(micro),
        });
      }),
    );
  });

  it('is measured alike by all that differ in nothing but the limit', () => {
    const signature = (spend: string) => {
      const rule = firstRule(`spend: { ${spend} }`);
      return rule?.kind === 'spend' ? rule.signature : null;
    };
    const one = signature('cost: 1, per: month');
    expect(signature('cost: 2, per: month')).toBe(one);
    for (const other of [
      'tokens: 1, per: month',
      'cost: 1, per: day',
      'cost: 1, per: month, across: selected',
      'cost: 1, per: month, models: llama',
    ])
      expect(signature(other)).not.toBe(one);
  });

  it('matches models by pattern', () => {
    const rule = firstRule('spend: { cost: 1, per: day, models: ["*-large", llama] }');
    const models = rule?.kind === 'spend' ? rule.models : null;
    expect(['x-large', 'llama', 'llama2', 'X-LARGE'].map((model) => models?.(model))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('deadlines', () => {
  it.each([
    ['expiry: {}', { kind: 'expiry', maxAgeMs: null, requireExpiresAt: false }],
    [
      'expiry: { max_age: 90d, require_expires_at: true }',
      { maxAgeMs: 90 * 86_400_000, requireExpiresAt: true },
    ],
    ['idle: { for: 2w }', { kind: 'idle', forMs: 14 * 86_400_000 }],
  ])('%s', (rule, compiled) => {
    expect(valid(withSteps(rule, '{ alert: ops }')).policies[0]?.rule).toMatchObject(compiled);
  });
});

describe('steps', () => {
  it('of a budget', () => {
    expect(
      stepsOf(
        monthly,
        '{ at: 12.5%, alert: [ops, ops, owner], repeat: 90s }',
        '{ at: 100%, basis: forecast, alert: ops }',
      ),
    ).toEqual([
      {
        atPercent: 12.5,
        offsetMs: 0,
        alert: ['ops', 'owner'],
        repeatMs: 90_000,
        rename: null,
        delete: null,
        basis: 'level',
        pick: null,
      },
      {
        atPercent: 100,
        offsetMs: 0,
        alert: ['ops'],
        repeatMs: null,
        rename: null,
        delete: null,
        basis: 'forecast',
        pick: null,
      },
    ]);
  });

  it('of a deadline, before, at and after it', () => {
    const steps = stepsOf(
      'expiry: {}',
      '{ before: 14d, alert: ops }',
      '{ alert: ops }',
      '{ after: 0s, alert: ops }',
      '{ after: 15m, alert: ops, delete: { notice: 0s } }',
      '{ after: 1d, alert: ops, delete: { notice: 36h } }',
    );
    expect(steps?.map((step) => step.offsetMs)).toEqual([-14 * 86_400_000, 0, 0, 900_000, 86_400_000]);
    expect(steps?.map((step) => step.atPercent)).toEqual([null, null, null, null, null]);
    expect(steps?.map((step) => step.delete?.noticeMs)).toEqual([
      ...[undefined, undefined, undefined],
      ...[0, 36 * 3_600_000],
    ]);
  });

  it('may forecast a level before a lower one is reached', () => {
    expect(
      stepsOf(monthly, '{ at: 100%, basis: forecast, alert: ops }', '{ at: 80%, alert: ops }'),
    ).toHaveLength(2);
  });

  it('rename, and restore unless told not to', () => {
    const steps = stepsOf(
      'idle: { for: 1d }',
      '{ rename: "IDLE {{ name }}" }',
      '{ rename: "OLD {{ name }}", restore: false }',
    );
    expect(steps?.map((step) => step.rename?.restore)).toEqual([true, false]);
    expect(steps?.[0]?.rename?.template.source).toBe('IDLE {{ name }}');
  });

  it('need no pick where each key is judged alone', () => {
    const alone = 'spend: { cost: 1, per: day, across: key }';
    expect(stepsOf(alone, '{ at: 80%, rename: "X {{ name }}" }')).toHaveLength(1);
  });

  it('pick among the keys of a group', () => {
    const steps = stepsOf(
      'spend: { cost: 1, per: day, across: selected }',
      '{ at: 80%, rename: "X {{ name }}", pick: highest }',
      '{ at: 90%, alert: ops, delete: { notice: 1d }, pick: all }',
    );
    expect(steps?.map((step) => step.pick)).toEqual(['highest', 'all']);
  });
});

describe('silences', () => {
  it('end, at most a year ahead', () => {
    const file = valid(
      top(`silences:
  - { select: all, until: 2027-11-23T10:00:00+02:00, suppress: alerts, reason: launch }
  - { select: all, until: 2026-12-01T00:00:00.5Z }`),
    );
    expect(file.silences.map(({ until, suppress, reason }) => ({ until, suppress, reason }))).toEqual([
      { until: Date.parse('2027-11-23T08:00:00Z'), suppress: ['alerts'], reason: 'launch' },
      { until: Date.parse('2026-12-01T00:00:00.500Z'), suppress: ['alerts', 'actions'], reason: null },
    ]);
  });
});
