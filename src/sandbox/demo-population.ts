/** The demo's cast and its story: who spends what, what expires, who falls idle, and what people do. */
import type { EpochMs } from '../core/key.ts';
import type { KeySpec, WorldKey } from './account-key.ts';
import { renameWhenSpent } from './people.ts';
import type { Random } from './random.ts';
import type { TrafficProfile } from './traffic.ts';
import type { World } from './world.ts';

/** Monday, 5 October 2026: two month's ends and a change of summer time lie within sixty days of it. */
export const demoStart: EpochMs = Date.UTC(2026, 9, 5);

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** An instant of the story: days after its start, or before it. */
type Day = (days: number) => EpochMs;

export function populateDemo(world: World, random: Random): void {
  const day: Day = (days) => world.start + Math.round(days * dayMs);
  const cast = [
    ...freeUsers(day),
    ...payingUsers(),
    ...teams(day),
    ...services(day),
    ...expiring(day),
    ...idlers(day),
    ...oddities(),
  ];
  const keys = new Map<string, WorldKey>();
  for (const spec of cast) {
    const ageDays = 4 + 18 * random.fork(spec.name).next();
    keys.set(spec.name, world.addKey({ createdAt: day(-ageDays), ...spec }));
  }
  letPeopleAct(world, day, (name) => keys.get(name)?.secret ?? '');
}

/** Steady use all day long, so that a month's total is near `usdPerDay` times its days. */
const steady = (usdPerDay: number, more: Partial<TrafficProfile> = {}): TrafficProfile => ({
  usdPerDay,
  momentsPerDay: 48,
  hours: 'flat',
  weekend: 1,
  models: [
    ['llama3-3-70b', 2],
    ['gpt-oss-120b', 1],
  ],
  ...more,
});

const nowAndThen = (usdPerDay: number, more: Partial<TrafficProfile> = {}): TrafficProfile =>
  steady(usdPerDay, { momentsPerDay: 10, hours: 'evening', ...more });

const atWork = (usdPerDay: number, more: Partial<TrafficProfile> = {}): TrafficProfile =>
  steady(usdPerDay, { momentsPerDay: 24, hours: 'office', weekend: 0.2, ...more });

/** Loops for `days` from `from` on and spends about `usd` in it. */
function looping(usdPerDay: number, from: EpochMs, days: number, usd: number): TrafficProfile {
  const factor = usd / (usdPerDay * days);
  return steady(usdPerDay, { bursts: [{ from, to: from + days * dayMs, factor }] });
}

function user(index: number, traffic: TrafficProfile, more: Readonly<Record<string, unknown>> = {}): KeySpec {
  const metadata = { plan: 'free', email: `user${index}@example.com`, ...more };
  return { name: `User ${index}`, metadata, traffic };
}

/** Free users signed up since the month began: so what they spend in it is known exactly from the start. */
const newcomer = (day: Day, spec: KeySpec, order: number): KeySpec => ({
  ...spec,
  createdAt: day(-3.5 + 0.2 * order),
});

function freeUsers(day: Day): readonly KeySpec[] {
  const users = [
    ...[1, 2, 4, 5, 6, 8, 9].map((index) => user(index, nowAndThen(0.08 + 0.04 * index))),
    // Protected: loops, passes every threshold, and must not be touched.
    user(3, looping(0.2, day(30.4), 2, 26), { critical: 'true' }),
    // Over the budget every month, but never so far as to be deleted; gets its name back at the month's end.
    user(7, steady(0.75)),
    // Loops and is deleted when its notice has run.
    user(12, looping(0.25, day(15.3), 2, 30)),
    // Loops too, but its owner takes the key in hand while the notice runs.
    user(19, looping(0.25, day(36.4), 1.5, 24)),
  ];
  return users.map((spec, order) => newcomer(day, spec, order));
}

function payingUsers(): readonly KeySpec[] {
  const pro = (index: number, usdPerDay: number, keep: Readonly<Record<string, unknown>> = {}): KeySpec =>
    user(index, nowAndThen(usdPerDay), { plan: 'pro', ...keep });
  // A name that could not be given by a rename: the vendor's page creates such keys itself.
  const ana = pro(0, 0.9);
  return [
    pro(31, 1.2),
    pro(32, 2.4, { keep: 'yes' }),
    pro(33, 0.6),
    { ...ana, name: 'User: ana@example.com', metadata: { plan: 'pro', email: 'ana@example.com' } },
  ];
}

function teams(day: Day): readonly KeySpec[] {
  const member = (team: string, name: string, traffic: TrafficProfile): KeySpec => ({
    name,
    metadata: { team, email: `${team}@example.com` },
    createdAt: day(-3),
    traffic,
  });
  const heavy = { models: [['deepseek-r1-0528', 2], ['qwen3-coder-480b', 1]] } as const; // prettier-ignore
  return [
    // Together some 25 dollars a working day: the month's 500 are gone around the 23rd.
    member('ml', 'ml-train', atWork(14, { ...heavy, weekend: 0.6 })),
    member('ml', 'ml-eval', atWork(6, heavy)),
    member('ml', 'ml-batch', steady(5, heavy)),
    member('web', 'web-frontend', atWork(1.5)),
    member('web', 'web-search', atWork(0.8)),
    member('data', 'data-etl', steady(1.1)),
    member('data', 'data-report', atWork(0.7)),
  ];
}

function services(day: Day): readonly KeySpec[] {
  return [
    { name: 'Production api', metadata: { critical: 'true' }, traffic: steady(9), createdAt: day(-300) },
    { name: 'Production chat', metadata: { critical: 'true' }, traffic: nowAndThen(4), chat: true },
    { name: 'svc-mailer', metadata: { keep: 'yes' }, traffic: steady(0.5), createdAt: day(-210) },
    { name: 'svc-indexer', metadata: {}, traffic: steady(0.4), createdAt: day(-150) },
    { name: 'Keywarden admin', metadata: {}, isAdmin: true, createdAt: day(-120) },
  ];
}

function expiring(day: Day): readonly KeySpec[] {
  const contact = (name: string) => ({ email: `${name}@example.com` });
  return [
    { name: 'Trial Acme', metadata: contact('acme'), expiresAt: day(-3), traffic: nowAndThen(0.3) },
    { name: 'Contractor Q3', metadata: contact('jo'), expiresAt: day(12), traffic: atWork(0.6) },
    { name: 'dev-hackathon', metadata: contact('max'), expiresAt: day(30.5), traffic: atWork(0.2) },
    { name: 'Partner Nord', metadata: contact('nord'), expiresAt: day(200), traffic: atWork(1) },
    // Nine tenths of its own cap after about four weeks; a few days later it stops working.
    {
      name: 'Eval harness',
      metadata: { ...contact('eval'), team: 'data' },
      createdAt: day(-20),
      maxTokens: 55_000_000,
      traffic: steady(1, { models: [['gpt-oss-120b', 1]] }),
    },
  ];
}

/** Each is idle after thirty days without use. */
function idlers(day: Day): readonly KeySpec[] {
  const unusedFrom = (from: EpochMs, to = Infinity) => atWork(0.3, { weekend: 1, pauses: [{ from, to }] });
  const contact = (name: string) => ({ email: `${name}@example.com` });
  return [
    {
      name: 'old-prototype',
      metadata: contact('kim'),
      createdAt: day(-48),
      traffic: unusedFrom(day(-20)),
    },
    { name: 'never-used', metadata: contact('lee'), createdAt: day(-30) },
    // Comes back to life while the notice of its deletion runs.
    {
      name: 'Legacy import',
      metadata: contact('mia'),
      createdAt: day(-45),
      traffic: unusedFrom(day(-14), day(33.4)),
    },
    // Of a team whose keys are silenced for a time.
    {
      name: 'ml-notebook',
      metadata: { team: 'ml', ...contact('zoe') },
      createdAt: day(-28),
      traffic: unusedFrom(day(-11)),
    },
    {
      name: 'dev-summer',
      metadata: { keep: 'yes', ...contact('sam') },
      createdAt: day(-85),
      traffic: unusedFrom(day(-55)),
    },
  ];
}

function oddities(): readonly KeySpec[] {
  return [
    { name: 'dev-scratch', metadata: { email: 'ana@example.com' }, traffic: atWork(0.3) },
    { name: 'dev-scratch', metadata: { email: 'ben@example.com' }, traffic: atWork(0.2) },
    { name: 'dev-ana', metadata: { email: 'ana@example.com' }, traffic: atWork(0.4) },
    { name: 'dev-ben', metadata: { email: 'ben@example.com' }, traffic: atWork(0.5) },
    {
      name: 'data-lake',
      metadata: { team: 'data', cost_center: 42, tags: ['a', 'b'], owner: null, nested: { deep: true } },
      traffic: atWork(0.6),
    },
  ];
}

function letPeopleAct(world: World, day: Day, secretOf: (name: string) => string): void {
  const rename = (at: EpochMs, name: string, to: string) =>
    world.schedule(at, () => world.renameByPerson(secretOf(name), to));
  rename(day(9.4), 'dev-ana', 'dev-ana-laptop');
  rename(day(44.6), 'Partner Nord', 'Partner Nord GmbH');
  world.schedule(day(33.5), () => world.deleteByPerson(secretOf('dev-ben')));
  world.schedule(day(20.4), () => world.addKey(user(23, nowAndThen(0.3))));
  world.schedule(day(27.6), () =>
    world.addKey({
      name: 'dev-carol',
      metadata: { email: 'carol@example.com' },
      // A script of hers runs away for a day.
      traffic: looping(0.4, day(49.3), 0.8, 30),
    }),
  );
  renameWhenSpent(world, secretOf('User 19'), {
    microUsd: 24_000_000,
    afterMs: 8 * hourMs,
    name: 'User 19 asked for more',
  });
}
