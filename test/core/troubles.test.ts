import { describe, expect, test } from 'vitest';
import { systemChannels, tellTroubles } from '../../src/core/troubles.ts';
import type { Told } from '../../src/core/troubles.ts';
import type { Mode } from '../../src/core/policy.ts';
import type { Trouble } from '../../src/core/plan.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { file, hour, monday, policy } from './story.ts';

const rules = file(
  policy('expiry: {}', '{ alert: owner }', '{ after: 1d, alert: ops, rename: "OLD {{ name }}" }'),
);
const api: Trouble = {
  code: 'api',
  severity: 'critical',
  title: 'The API is gone',
  text: 'It does not answer.',
};
const list: Trouble = { code: 'list', severity: 'warning', title: 'The list shrank', text: 'By half.' };

function tell(
  told: Told,
  current: readonly Trouble[],
  now = monday,
  undecided: readonly string[] = [],
  mode: Mode = 'alert',
) {
  const next = tellTroubles(told, current, (code) => undecided.includes(code), { now, policy: rules, mode });
  return {
    told: next.told,
    titles: next.alerts.map(({ title }) => title),
    ids: next.alerts.map(({ id }) => id),
  };
}

describe('a trouble', () => {
  test('is told once when it begins and once when it is over', () => {
    const begun = tell({}, [api]);
    expect(begun.titles).toEqual(['The API is gone']);
    const going = tell(begun.told, [api], monday + hour);
    expect([going.titles, going.told]).toEqual([[], begun.told]);
    const over = tell(going.told, [], monday + 2 * hour);
    expect([over.titles, over.told]).toEqual([['Over: The API is gone'], {}]);
  });

  test('is over for whom heard of it, too, where others hear of troubles by then', () => {
    const context = { now: monday, policy: rules, mode: 'alert' } as const;
    const begun = tellTroubles({}, [api], () => false, context);
    expect(begun.alerts[0]?.channels).toEqual(['ops']);
    const going = tellTroubles(begun.told, [api], () => false, context);
    const owners = file(policy('expiry: {}', '{ alert: owner, delete: { notice: 1h } }'));
    expect(systemChannels(owners)).not.toContain('ops');
    const over = tellTroubles(going.told, [], () => false, { ...context, policy: owners });
    expect(over.alerts[0]?.channels).toEqual(['ops', ...systemChannels(owners)]);
  });

  test('that comes back is told again, under another id', () => {
    const first = tell({}, [api]);
    const over = tell(first.told, [], monday + hour);
    const again = tell(over.told, [api], monday + 2 * hour);
    expect(new Set([...first.ids, ...over.ids, ...again.ids]).size).toBe(3);
  });

  test('that cannot be judged now is neither begun nor over', () => {
    const begun = tell({}, [api, list]);
    const half = tell(begun.told, [], monday + hour, ['api']);
    expect(half.titles).toEqual(['Over: The list shrank']);
    expect(Object.keys(half.told)).toEqual(['api']);
  });

  test('that began in a dry run is told after it, if it is still there', () => {
    const dry = tell({}, [api, list], monday, [], 'dry-run');
    const still = tell(dry.told, [api, list], monday + hour, [], 'dry-run');
    expect([still.titles, still.told]).toEqual([[], dry.told]);
    const after = tell(still.told, [api], monday + 2 * hour);
    expect(after.titles).toEqual(['The API is gone']);
    expect(tell(after.told, [api], monday + 3 * hour).titles).toEqual([]);
    expect(tell(after.told, [], monday + 3 * hour).titles).toEqual(['Over: The API is gone']);
  });

  test('that was told and ends in a dry run is told to be over after it', () => {
    const begun = tell({}, [api]);
    const dry = tell(begun.told, [], monday + hour, [], 'dry-run');
    expect(dry.titles).toEqual([]);
    expect(tell(dry.told, [], monday + 2 * hour).titles).toEqual(['Over: The API is gone']);
  });

  test('keeps its title until it is over, whatever its text says meanwhile', () => {
    const begun = tell({}, [list]);
    expect(tell(begun.told, [{ ...list, title: 'The list shrank more' }], monday + hour).titles).toEqual([]);
  });
});

describe('whoever hears of Keywarden itself', () => {
  const channelsOf = (steps: string): readonly string[] => {
    const text = `version: 1
protect: []
smtp: { url: "\${SMTP}", from: a@example.com }
channels:
  ops: { slack: { webhook_url: "\${X}" } }
  mail: { email: { to: ops@example.com } }
  owner: { email: { to: "{{ metadata.email }}" } }
policies:
  - { name: p, select: all, expiry: {}, steps: [${steps}] }
`;
    const loaded = loadPolicy(
      text,
      'p.yaml',
      (name) => ({ value: name === 'SMTP' ? 'smtps://u:p@mail.example.com' : 'https://x.example/hook' }),
      monday,
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
    return systemChannels(loaded.policy);
  };

  test.each([
    [
      'is told of its deletions and renames',
      '{ alert: mail }, { after: 1d, alert: ops, rename: "OLD {{ name }}" }',
      ['ops'],
    ],
    ['is never a key’s own user', '{ alert: [owner, mail], delete: { notice: 1d } }', ['mail']],
    [
      'is every fixed channel, where only users hear of those',
      '{ alert: owner, delete: { notice: 1d } }',
      ['ops', 'mail'],
    ],
    ['is every fixed channel, where there are none', '{ alert: mail }', ['ops', 'mail']],
  ])('%s', (_what, steps, channels) => {
    expect(channelsOf(steps)).toEqual(channels);
  });
});

test('a trouble of a channel is told on the others, and its end on all that it concerns', () => {
  const dead: Trouble = { ...api, code: 'undelivered:ops', notBy: 'ops' };
  const context = { now: monday, policy: rules, mode: 'alert' } as const;
  expect([systemChannels(rules), systemChannels(rules, 'ops')]).toEqual([['ops'], expect.any(Array)]);
  const others = systemChannels(rules, 'ops');
  expect(others).not.toContain('ops');
  expect(others.length).toBeGreaterThan(0);
  const begun = tellTroubles({}, [dead], () => false, context);
  expect(begun.alerts.map(({ channels }) => channels)).toEqual([others]);
  const over = tellTroubles(begun.told, [], () => false, context);
  expect(over.alerts.map(({ channels }) => channels)).toEqual([[...others, 'ops']]);
});
