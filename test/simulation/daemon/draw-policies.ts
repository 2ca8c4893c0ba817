/** Policy files, drawn. */
import type { Random } from '../../../src/sandbox/random.ts';
import type {
  FileShape,
  PolicyShape,
  QuietShape,
  RuleShape,
  SelectorShape,
  SpendShape,
  StepShape,
} from './policies.ts';
import { hourMs, minuteMs } from './units.ts';

/** Each hour's end is a pass. */
const hours = ['hour', '1h'] as const;
export const channels = ['ops', 'second', 'mail', 'owner', 'pager'];
/** In the first two of the others the clocks are set forward, on 27 September and on 4 October. */
const timeZones = ['Pacific/Auckland', 'Australia/Sydney', 'Asia/Kolkata', 'America/New_York'];
export const noticesMs = [0, 30 * minuteMs, 3 * hourMs, 12 * hourMs, 26 * hourMs];

export function drawFile(random: Random, days: number): FileShape {
  const generous = random.chance(0.5);
  const many = random.integer(1, 3);
  return {
    mode: random.pick(['enforce', 'enforce', 'enforce', 'enforce', 'alert', 'dry-run']),
    timeZone: drawTimeZone(random.fork('zone')),
    channels,
    quiet: drawQuiet(random),
    allowDomains: random.chance(0.5) ? ['example.com'] : null,
    protect: [
      ...(random.chance(0.7) ? [{ name: 'Production *' }] : []),
      ...(random.chance(0.5) ? [{ metadata: { critical: 'true' } }] : []),
      // Names that are Keywarden's own, too.
      ...(random.fork('protect').chance(0.15)
        ? [{ name: random.fork('protect').pick(['OVER *', 'IDLE *']) }]
        : []),
    ],
    limits: {
      delete: generous
        ? { perRun: 5, perDay: 10, percent: 100 }
        : {
            perRun: random.integer(0, 2),
            perDay: random.integer(1, 3),
            percent: random.pick([10, 40, null]),
          },
      rename: generous
        ? { perRun: 50, perDay: 200, percent: null }
        : {
            perRun: random.integer(1, 4),
            perDay: random.integer(1, 6),
            percent: random.pick([30, null, null]),
          },
    },
    policies: Array.from({ length: many }, (_, index) => drawPolicy(random, `p${String(index)}`, days)),
    silences: [],
  };
}

/** Of most files no deletion comes: in some of them, the first policy soon wants one, and little stands in its way. */
export function earnest(random: Random, file: FileShape): FileShape {
  const [first, ...others] = file.policies;
  if (first === undefined || !random.chance(0.3)) return file;
  const { mode: _mode, rule, steps } = first;
  const last = steps.at(-1);
  if (last === undefined) return file;
  const { renamePrefix: _prefix, restore: _restore, repeatMs: _repeat, basis: _basis, ...step } = last;
  const isGroup = rule.kind === 'spend' && rule.across !== 'key';
  const deleting: StepShape = {
    ...step,
    deleteNoticeMs: random.pick([0, 30 * minuteMs, 30 * minuteMs, 3 * hourMs]),
    ...(isGroup ? { pick: random.pick(['highest', 'all'] as const) } : {}),
  };
  const policy: PolicyShape = {
    ...{ name: first.name, select: first.select, rule: sooner(random, rule) },
    steps: [...steps.slice(0, -1), deleting],
  };
  const isGenerous = random.chance(0.7);
  return {
    ...file,
    mode: 'enforce',
    policies: [policy, ...others],
    ...(isGenerous ? { limits: { ...file.limits, delete: { perRun: 5, perDay: 10, percent: 100 } } } : {}),
  };
}

function sooner(random: Random, rule: RuleShape): RuleShape {
  switch (rule.kind) {
    case 'spend':
      return rule.limit === 'max_tokens'
        ? rule
        : { ...rule, limit: Math.ceil(rule.limit / random.pick([1, 3])) };
    case 'expiry':
      return { ...rule, maxAgeDays: random.integer(20, 60) };
    case 'idle':
      return { ...rule, forDays: random.pick([1, 7]) };
    default:
      return rule satisfies never;
  }
}

function drawTimeZone(random: Random): string {
  return random.chance(0.6) ? 'UTC' : random.pick(timeZones);
}

function drawQuiet(random: Random): Record<string, QuietShape> {
  if (random.chance(0.6)) return {};
  const quiet: Record<string, QuietShape> = {};
  for (const channel of random.shuffle(channels).slice(0, random.integer(1, 4))) {
    const [from, to] = random.pick([
      [22, 7],
      [0, 9],
      [9, 18],
      [6, 4],
    ] as const);
    quiet[channel] = { from, to, except: random.pick([[], ['notice'], ['delete'], ['notice', 'delete']]) };
  }
  return quiet;
}

function drawPolicy(random: Random, name: string, days: number): PolicyShape {
  const select: SelectorShape = random.pick([
    {},
    {},
    { name: 'User *' },
    { metadata: { plan: 'free' } },
    { metadata: { team: 'ml' } },
  ]);
  const rule = drawRule(random, days);
  return {
    name,
    select: rule.kind === 'spend' && rule.limit === 'max_tokens' ? { ...select, tokenLimit: true } : select,
    ...(random.chance(0.1) ? { mode: random.fork('mode').pick(['alert', 'dry-run'] as const) } : {}),
    rule,
    steps: drawSteps(random, rule),
  };
}

function drawRule(random: Random, days: number): RuleShape {
  const kind = random.pick(['spend', 'spend', 'expiry', 'idle'] as const);
  switch (kind) {
    case 'spend':
      return drawSpend(random, days);
    case 'expiry':
      return {
        kind,
        ...(random.chance(0.5) ? { maxAgeDays: random.integer(10, 80) } : {}),
        ...(random.chance(0.2) ? { requireExpiresAt: true } : {}),
      };
    case 'idle':
      return { kind, forDays: random.pick([1, 7, 20, 45]) };
    default:
      return kind satisfies never;
  }
}

function drawSpend(random: Random, days: number): SpendShape {
  const measure = random.pick(['cost', 'cost', 'tokens', 'requests'] as const);
  const across = random.pick(['key', 'key', 'key', 'metadata.team', 'selected', 'account'] as const);
  const dollars = random.pick([1, 3, 10]) * (across === 'key' ? 1 : 3);
  const models = random.chance(0.1) ? (['gpt-oss-120b'] as const) : null;
  const timeZone = drawTimeZone(random.fork('zone'));
  if (measure === 'tokens' && across === 'key' && models === null && random.chance(0.5))
    return { kind: 'spend', measure, limit: 'max_tokens', per: 'lifetime', timeZone, across, models };
  return {
    kind: 'spend',
    measure,
    // About as much as so many dollars buy.
    limit: Math.round(dollars * { cost: 1, tokens: 1_000_000, requests: 400 }[measure]),
    per: random.pick([
      'day',
      'day',
      'week',
      'month',
      '24h',
      '7d',
      'lifetime',
      ...(days > 1.5 ? [] : hours),
    ] as const),
    timeZone,
    across,
    models,
  };
}

function drawSteps(random: Random, rule: RuleShape): StepShape[] {
  const ats =
    rule.kind === 'spend'
      ? [50, 80, 100, 130]
      : rule.kind === 'expiry'
        ? [-48, -2, 0, 5, 24]
        : [0, 3, 24, 60];
  const chosen = random
    .shuffle(ats)
    .slice(0, random.integer(1, 3))
    .sort((a, b) => a - b);
  return chosen.map((at, index) => drawStep(random, rule, at, index === chosen.length - 1));
}

function drawStep(random: Random, rule: RuleShape, at: number, last: boolean): StepShape {
  const alert = random.shuffle(channels).slice(0, random.integer(1, 3));
  const kind = last
    ? random.pick(['delete', 'delete', 'rename', 'none'] as const)
    : random.pick(['none', 'rename', 'rename'] as const);
  const isGroup = rule.kind === 'spend' && rule.across !== 'key';
  const pick = isGroup ? { pick: random.pick(['highest', 'highest', 'all'] as const) } : {};
  switch (kind) {
    case 'rename':
      return {
        at,
        alert,
        renamePrefix: random.pick(['OVER', 'IDLE', 'EXPIRED']),
        ...(random.chance(0.2) ? { restore: false } : {}),
        ...pick,
      };
    case 'delete':
      return { at, alert, deleteNoticeMs: random.pick(noticesMs), ...pick };
    case 'none': {
      const ends = rule.kind === 'spend' && ['hour', 'day', 'week', 'month'].includes(rule.per);
      return {
        at,
        alert,
        ...(ends && random.chance(0.5) ? { basis: 'forecast' as const } : {}),
        ...(random.chance(0.2) ? { repeatMs: random.integer(4, 30) * hourMs } : {}),
      };
    }
    default:
      return kind satisfies never;
  }
}
