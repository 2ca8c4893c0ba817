/**
 * A small account's story, pass by pass, for the tests of deciding: what people do between two passes,
 * what is known of usage, and what is decided. No I/O: the ledger's readings are given.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CaseAlert } from '../../src/core/alert.ts';
import type { Books } from '../../src/core/books.ts';
import { acceptanceKey, inOrder } from '../../src/core/court.ts';
import type { Court } from '../../src/core/court.ts';
import { mostCautious } from '../../src/core/court.ts';
import { decide } from '../../src/core/decide.ts';
import type { Bounds, Evidence, KeyEvidence } from '../../src/core/evidence.ts';
import { caseKey } from '../../src/core/judgement.ts';
import type { IdleBefore } from '../../src/core/judgement.ts';
import type { Counters, EpochMs, Key, KeyId, Window } from '../../src/core/key.ts';
import { windows } from '../../src/core/key.ts';
import { periodAt } from '../../src/core/periods.ts';
import type { Decision, Held, PlannedChange } from '../../src/core/plan.ts';
import type { Mode, PolicyFile } from '../../src/core/policy.ts';
import { settle } from '../../src/core/settle.ts';
import { periodStarts } from '../../src/deliberate.ts';
import type { Change, Finding, KeyRecord, Mark } from '../../src/core/state.ts';
import { register } from '../../src/ledger/registry.ts';
import { formatFaults, loadPolicy } from '../../src/policy/load.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Mon 23 Nov 2026, 10:00 UTC: where every story begins. */
export const monday = Date.parse('2026-11-23T10:00:00Z');

const channels = `channels:
  owner: { slack: { webhook_url: "\${OWNER}" } }
  ops: { slack: { webhook_url: "\${OPS}" } }
  pager: { webhook: { url: "\${PAGER}" } }`;

/** A policy file in enforce mode, with these lines and, where they have no others, channels `owner`, `ops` and `pager`. */
export function file(policies: string, top = 'protect: []'): PolicyFile {
  const text = `version: 1
mode: enforce
${/^channels:/m.test(top) ? '' : channels}
${top}
policies:
${policies.replaceAll(/^/gm, '  ')}
`;
  const loaded = loadPolicy(
    /^mode:/m.test(top) ? text.replace('mode: enforce\n', '') : text,
    'policies.yaml',
    (name) => ({ value: `https://hooks.example/${name}` }),
    monday,
  );
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
  return loaded.policy;
}

/** Limits that hold nothing in a small account. */
export const generous = `protect: []
limits: { delete: { per_run: 100, per_day: 100, percent: 100 }, rename: { per_run: 100, per_day: 100 } }`;

/** One policy called `p` for every key: `rule`, then a line a step. */
export function policy(rule: string, ...steps: string[]): string {
  return policyOf('p', rule, ...steps);
}

export function policyOf(name: string, rule: string, ...steps: string[]): string {
  const lines = steps.map((step) => `    - ${step}`).join('\n');
  return `- name: ${name}\n  ${/\bselect:/.test(rule) ? '' : 'select: all\n  '}${rule}\n  steps:\n${lines}`;
}

export const id = (name: string): KeyId =>
  `k_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

/** A key made a minute before the story begins; its id comes from this, its first name. */
export function key(name: string, more: Partial<Key> = {}): Key {
  return {
    id: id(name),
    createdAt: monday - minute,
    name,
    metadata: {},
    expiresAt: null,
    maxTokens: null,
    chat: false,
    isAdmin: false,
    lastUsedAt: null,
    ...more,
  };
}

/** Dollars, tokens and requests alike: 16 is $16, 16 tokens and 16 requests. `null`: nothing is known. */
export type Amount = number | readonly [low: number, high: number | null] | null;

export interface Pass {
  /** How long after the pass before; a minute if left out. */
  readonly after?: number;
  /** Lifetime usage by a key's first name; what is not named stays as it was. */
  readonly usage?: Readonly<Record<string, Amount>>;
  readonly windows?: Readonly<Record<string, Partial<Record<Window, number>>>>;
  readonly about?: Readonly<Record<string, Partial<KeyEvidence>>>;
  readonly account?: Evidence['account'];
  readonly hold?: string;
  readonly listTrusted?: boolean;
  readonly idleBefore?: IdleBefore;
  readonly paces?: Evidence['paces'];
  readonly accountRate?: Evidence['accountRate'];
  /** The order in which the API lists the keys. */
  readonly listed?: (keys: readonly Key[]) => readonly Key[];
}

export interface Story {
  now(): EpochMs;
  /** What the last pass decided by. */
  court(): Court;
  /** The account's keys, as people may change them between two passes. */
  readonly account: Map<string, Key>;
  policy: PolicyFile;
  mode: Mode | null;
  records: ReadonlyMap<KeyId, KeyRecord>;
  findings: Map<string, Finding>;
  changes: Map<string, Change>;
  /** When each notice was accepted, by `acceptanceKey`. */
  acceptances: Map<string, EpochMs>;
  /** What was known of each key; null: nothing is kept from pass to pass. Evidence that is as before is the very same. */
  kept: Map<KeyId, KeyEvidence> | null;
  /** Decides, and remembers the findings. Nothing is carried out. */
  pass(pass?: Pass): Decision;
  /** The notices of this decision were accepted now: by each of their channels, or by `only` these. */
  accept(decision: Decision, only?: readonly string[]): void;
  /** Carries the decision's changes out; returns what is told of them. */
  carryOut(decision: Decision, outcome?: Change['outcome']): CaseAlert[];
  /** As `pass`, then every notice is accepted and every change carried out. */
  run(pass?: Pass): Decision;
  rename(firstName: string, name: string): void;
  remove(firstName: string): void;
  /** All that is remembered, through JSON and back: what a restart does. */
  restart(): void;
}

export function story(policies: string | PolicyFile, ...keys: readonly Key[]): Story {
  let now = monday - minute;
  let court: Court | null = null;
  let known: Record<string, Amount> = {};
  let marks: ReadonlyMap<EpochMs, ReadonlyMap<KeyId | 'account', Mark>> = new Map();
  const tale: Story = {
    now: () => now,
    court() {
      if (court === null) throw new Error('nothing was decided yet');
      return court;
    },
    account: new Map(keys.map((one) => [one.name, one])),
    policy: typeof policies === 'string' ? file(policies) : policies,
    mode: null,
    records: new Map(),
    findings: new Map(),
    changes: new Map(),
    acceptances: new Map(),
    kept: null,
    pass(pass = {}) {
      now += pass.after ?? minute;
      marks = marksOf(tale.policy, now, marks, known);
      known = { ...known, ...pass.usage };
      court = assemble(tale, now, known, marks, pass);
      const decision = decide(court);
      for (const finding of decision.findings) tale.findings.set(finding.id, finding);
      return decision;
    },
    accept(decision, only) {
      for (const { event, id: alertId, channels } of decision.alerts)
        if (event.kind === 'notice')
          for (const channel of only ?? channels) tale.acceptances.set(acceptanceKey(alertId, channel), now);
    },
    carryOut(decision, outcome = 'done') {
      return decision.changes.flatMap((change) => {
        const settled = asChange(change, now, outcome);
        const done = settle(
          { ...tale.court(), findings: [...tale.findings.values()], records: tale.records },
          settled,
        );
        apply(tale, settled, done);
        return done.alerts;
      });
    },
    run(pass) {
      const decision = tale.pass(pass);
      tale.accept(decision);
      tale.carryOut(decision);
      return decision;
    },
    rename(firstName, name) {
      const one = tale.account.get(firstName);
      if (one === undefined) throw new Error(`no key ${firstName}`);
      tale.account.set(firstName, { ...one, name });
    },
    remove: (firstName) => void tale.account.delete(firstName),
    restart() {
      const again = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
      tale.records = new Map(again([...tale.records]));
      tale.findings = new Map(again([...tale.findings]));
      tale.changes = new Map(again([...tale.changes]));
    },
  };
  return tale;
}

function asChange(planned: PlannedChange, now: EpochMs, outcome: Change['outcome']): Change {
  const { kind, keyId, keyCreatedAt, policy: name, findingId, step, from, to } = planned;
  return {
    id: `${findingId}/${kind}/${keyId}/${String(now)}`,
    ...{ kind, keyId, keyCreatedAt, policy: name, findingId, step, from, to },
    ...{ intentAt: now, settledAt: now, outcome, detail: outcome === 'failed' ? 'refused' : null },
  };
}

function apply(tale: Story, change: Change, done: ReturnType<typeof settle>): void {
  tale.changes.set(change.id, change);
  tale.records = new Map([...tale.records, ...done.records.map((record) => [record.id, record] as const)]);
  for (const finding of done.findings) tale.findings.set(finding.id, finding);
  if (change.outcome !== 'done') return;
  for (const [firstName, one] of tale.account) {
    if (one.id !== change.keyId) continue;
    if (change.to === null) tale.account.delete(firstName);
    else tale.account.set(firstName, { ...one, name: change.to });
  }
}

function assemble(
  tale: Story,
  now: EpochMs,
  known: Readonly<Record<string, Amount>>,
  marks: Evidence['marks'],
  pass: Pass,
): Court {
  const all = [...tale.account.values()];
  const listing = { at: now, serverAt: null, keys: pass.listed?.(all) ?? all, secrets: new Map() };
  tale.records = register(tale.records, listing, [], () =>
    pass.listTrusted === false ? 'it is not believed' : null,
  ).records;
  const listed = new Set(listing.keys.map((one) => one.id));
  const ordinary = inOrder([...tale.records.values()].filter((record) => !record.facts.isAdmin));
  const live = ordinary.filter((record) => listed.has(record.id));
  const evidenceOf = new Map(
    [...tale.account.keys()].map((name) => [id(name), keep(tale, id(name), evidence(name, known, pass))]),
  );
  const findings = [...tale.findings.values()];
  const open = findings.filter((one) => one.closedAt === null);
  const last = Object.entries(known).map(([name, amount]) => [id(name), bounds(amount).low] as const);
  return {
    now,
    policy: tale.policy,
    mode: mostCautious(tale.policy.mode, tale.mode),
    bench: {
      now,
      live,
      known: live.map((one) => evidenceOf.get(one.id)),
      record: (of) => tale.records.get(of),
      gone: ordinary.filter((record) => record.goneAt !== null),
      lastCounters: new Map(last),
      evidence: {
        at: now,
        doneAt: now,
        keys: evidenceOf,
        account: pass.account ?? { lifetime: null, windows: new Map(), because: null },
        marks,
        unread: [],
        paces: pass.paces ?? new Map(),
        accountRate: pass.accountRate ?? null,
        readAt: new Map(),
        unanswered: new Set(),
      },
      epoch: `${tale.policy.hash} ${periodStarts(tale.policy, now).join()}`,
      open: new Map(open.map((one) => [caseKey(one.policy, one.subject), one])),
      idleBefore: pass.idleBefore ?? { judgedBy: new Set(), massSince: null },
    },
    records: tale.records,
    findings,
    changes: [...tale.changes.values()].filter((one) => one.settledAt === null || one.intentAt > now - day),
    acceptances: tale.acceptances,
    hold: pass.hold ?? null,
    listTrusted: pass.listTrusted ?? true,
    accountKeys: live.length,
  };
}

function counters(amount: number): Counters {
  return { costMicroUsd: Math.round(amount * 1e6), tokens: amount, requests: amount };
}

function bounds(amount: Amount): Bounds {
  if (amount === null) return { low: counters(0), high: null };
  const [low, high] = typeof amount === 'number' ? [amount, amount] : amount;
  return { low: counters(low), high: high === null ? null : counters(high) };
}

function evidence(name: string, known: Readonly<Record<string, Amount>>, pass: Pass): KeyEvidence {
  const read = windows.flatMap((window) => {
    const amount = pass.windows?.[name]?.[window];
    return amount === undefined ? [] : [[window, bounds(amount)] as const];
  });
  return {
    lifetime: bounds(known[name] === undefined ? 0 : known[name]),
    because: null,
    credited: true,
    checked: true,
    windows: new Map(read),
    individual: new Set(),
    models: { lifetime: null, windows: new Map() },
    unchangedSince: null,
    quiet: { of: null, epoch: '', record: null, until: 0 },
    ...pass.about?.[name],
  };
}

function keep({ kept }: Story, of: KeyId, fresh: KeyEvidence): KeyEvidence {
  const before = kept?.get(of);
  if (before !== undefined && isDeepStrictEqual({ ...before, quiet: null }, { ...fresh, quiet: null }))
    return before;
  kept?.set(of, fresh);
  return fresh;
}

/** A period that began since the last pass began with what was known then. */
function marksOf(
  file: PolicyFile,
  now: EpochMs,
  before: ReadonlyMap<EpochMs, ReadonlyMap<KeyId | 'account', Mark>>,
  known: Readonly<Record<string, Amount>>,
): ReadonlyMap<EpochMs, ReadonlyMap<KeyId | 'account', Mark>> {
  const result = new Map(before);
  for (const { rule } of file.policies) {
    const start =
      rule.kind === 'spend' && rule.period.kind === 'calendar' ? periodAt(rule.period, now).start : null;
    if (start === null || result.has(start)) continue;
    const at = Object.entries(known).map(([name, amount]): [KeyId, Mark] => {
      const { low } = bounds(amount);
      return [id(name), { before: low, after: low }];
    });
    result.set(start, new Map(at));
  }
  return result;
}

const unread = { known: false, because: 'not read yet' } as const;

/** Of an account whose books were not read. */
export const noBooks: Books = {
  period: { start: monday, end: monday + day, words: 'November 2026' },
  spent: unread,
  billed: unread,
  rates: unread,
};

/** What is told, a line an alert: `step 2 → owner, ops`. */
export function said(alerts: Decision | readonly CaseAlert[]): string[] {
  const list = 'alerts' in alerts ? alerts.alerts : alerts;
  return list.map(({ event, channels }) => {
    const about = 'step' in event ? ` ${String(event.step)}` : '';
    return `${event.kind}${about}${'repeated' in event && event.repeated ? ' again' : ''} → ${channels.join(', ')}`;
  });
}

/** What is to be done: `rename User 1 → OVER User 1`. */
export function done(decision: Decision): string[] {
  return decision.changes.map(({ kind, from, to }) => `${kind} ${from}${to === null ? '' : ` → ${to}`}`);
}

/** What is held: `delete: notice`. */
export function held(decision: Decision): string[] {
  return decision.held.map(({ kind, because }: Held) => `${kind}: ${because}`);
}
