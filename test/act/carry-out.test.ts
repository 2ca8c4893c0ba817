import { describe, expect, test } from 'vitest';
import { carryOut } from '../../src/act/carry-out.ts';
import type { ActPorts, Recheck } from '../../src/act/carry-out.ts';
import { reconcile } from '../../src/act/reconcile.ts';
import type { Alert } from '../../src/core/alert.ts';
import { acceptanceKey } from '../../src/core/court.ts';
import type { Court } from '../../src/core/court.ts';
import type { Key, KeyId } from '../../src/core/key.ts';
import type { PlannedChange } from '../../src/core/plan.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Change, Finding, KeyRecord } from '../../src/core/state.ts';
import type { AdminWriter, Unwanted } from '../../src/ports.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Batch, Store } from '../../src/store/store.ts';
import { file, hour, key, monday, policy } from '../core/story.ts';

const rules = file(
  policy('spend: { cost: 20, per: lifetime }', '{ at: 100%, alert: owner, delete: { notice: 0s } }'),
);
const user = key('User 1');
const other = key('User 2');

function recordOf(one: Key): KeyRecord {
  return {
    ...{ id: one.id, createdAt: one.createdAt, firstSeenAt: monday, facts: one, originalName: one.name },
    ...{
      nameChanged: false,
      standing: [],
      renamedByPersonAt: null,
      goneAt: null,
      check: null,
      conflict: null,
    },
  };
}

function findingOf(one: Key, more: Partial<Finding> = {}): Finding {
  const noticeAlertId = `p/${one.id}/notice`;
  return {
    ...{ id: `p/${one.id}/x`, policy: 'p', subject: { kind: 'key', id: one.id, createdAt: one.createdAt } },
    ...{
      periodStart: null,
      periodEnd: null,
      openedAt: monday,
      closedAt: null,
      closedBecause: null,
      fired: [],
    },
    ...{
      uncertainSince: null,
      uncertainToldAt: null,
      renamed: [],
      idle: null,
      failureToldAt: null,
      heardBy: ['owner'],
    },
    deletions: [
      {
        ...{ keyId: one.id, createdAt: one.createdAt, step: 0, noticeAlertId, noticeMs: 0 },
        ...{ announcedAt: monday, expectedName: one.name, vetoedAt: null },
      },
    ],
    figures: { kind: 'expiry', deadline: monday, why: 'its own expires_at' },
    ...more,
  };
}

function change(kind: PlannedChange['kind'], one: Key, to: string | null = null): PlannedChange {
  return {
    ...{ kind, policy: 'p', findingId: `p/${one.id}/x`, step: kind === 'restore' ? null : 0 },
    ...{ keyId: one.id, keyCreatedAt: one.createdAt, from: one.name, to, reason: 'it is over' },
  };
}

function courtOf(keys: readonly Key[], findings: readonly Finding[], now = monday): Court {
  const records = new Map(keys.map((one) => [one.id, recordOf(one)]));
  const account = { lifetime: null, windows: new Map(), because: null };
  const rest = { readAt: new Map(), unread: [], paces: new Map(), unanswered: new Set<string>() };
  return {
    ...{ now, policy: rules, mode: 'enforce', records, findings, changes: [], hold: null, listTrusted: true },
    acceptances: new Map([[acceptanceKey(`p/${user.id}/notice`, 'owner'), monday]]),
    accountKeys: keys.length,
    bench: {
      ...{ now, live: [...records.values()], gone: [], lastCounters: new Map(), open: new Map() },
      ...{ known: [], record: (of) => records.get(of) },
      epoch: '',
      idleBefore: { judgedBy: new Set(), massSince: null },
      evidence: {
        at: now,
        doneAt: now,
        keys: new Map(),
        account,
        marks: new Map(),
        ...rest,
      },
    },
  };
}

type Fault = 'refused' | 'unclear' | 'overtaken' | 'unclear, then overtaken' | null;

/** What was asked of the API, and what stood on disk when it was. */
interface Rig extends AsyncDisposable {
  readonly store: Store;
  readonly log: string[];
  readonly alerts: Alert[];
  readonly ports: ActPorts;
}

async function rig(fault: Fault = null, recheck?: (one: PlannedChange) => Recheck): Promise<Rig> {
  const clock = { now: () => monday, sleep: () => Promise.resolve() };
  const store = await openSqlite(':memory:', { clock });
  const log: string[] = [];
  const alerts: Alert[] = [];
  const ask = async (what: string): Promise<void> => {
    const { changes } = await store.load(monday);
    log.push(
      `${what} (${changes
        .map(({ outcome }) => outcome ?? 'intent')
        .toSorted()
        .join(', ')})`,
    );
    if (fault === null) return;
    const failure = new Error(`the API ${fault.startsWith('unclear') ? 'did not answer' : 'refused'}`);
    throw Object.assign(failure, {
      kind: fault.endsWith('overtaken') ? 'overtaken' : 'x',
      retryable: false,
      outcome: fault.startsWith('unclear') ? 'unknown' : 'none',
    });
  };
  const writer: AdminWriter = {
    createKey: () => Promise.reject(new Error('never')),
    renameKey: (one, secret, name) => ask(`rename ${one.name} (${secret.reveal()}) → ${name}`),
    deleteKey: (one, secret) => ask(`delete ${one.name} (${secret.reveal()})`),
  };
  const secrets = new Map<KeyId, Secret>([
    [user.id, new Secret('tk_1')],
    [other.id, new Secret('tk_2')],
  ]);
  const fresh = (one: PlannedChange): Recheck => {
    const found = one.keyId === user.id ? user : other;
    return { ok: true, court: courtOf([user, other], [findingOf(found)]), key: found, secrets, among: [] };
  };
  const commit = async (batch: Batch, told: readonly Alert[]): Promise<void> => {
    await store.commit(batch);
    alerts.push(...told);
  };
  const ports: ActPorts = {
    writer,
    clock,
    closing: new AbortController().signal,
    superseded: () => false,
    commit,
    recheck: (one) => Promise.resolve((recheck ?? fresh)(one)),
  };
  return { store, log, alerts, ports, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

const on = new AbortController().signal;

async function kinds(store: Store): Promise<string[]> {
  return (await store.recorded({ limit: 100 })).map(({ kind }) => kind);
}

describe('a change', () => {
  test('is on disk as an intent before its request, and as an outcome after', async () => {
    await using one = await rig();
    const outcomes = await carryOut([change('delete', user)], one.ports, on);
    expect(one.log).toEqual(['delete User 1 (tk_1) (intent)']);
    expect(outcomes).toMatchObject([{ result: 'done', detail: null }]);
    expect(await kinds(one.store)).toEqual(['change-intent', 'change-done']);
    const state = await one.store.load(monday);
    expect(state.changes).toMatchObject([{ outcome: 'done', settledAt: monday }]);
    expect(state.keys).toMatchObject([{ id: user.id, goneAt: monday }]);
    expect(one.alerts).toMatchObject([
      { event: { kind: 'deleted', noticeAcceptedAt: monday }, channels: ['owner'] },
    ]);
  });

  test('that a fresh look refuses is never asked for, and that is recorded', async () => {
    await using one = await rig(null, () => ({ ok: false, because: 'the key is protected' }));
    const outcomes = await carryOut([change('delete', user)], one.ports, on);
    expect(one.log).toEqual([]);
    expect(outcomes).toMatchObject([{ result: 'cancelled', detail: 'the key is protected' }]);
    expect(await kinds(one.store)).toEqual(['change-cancelled']);
    expect((await one.store.load(monday)).changes).toEqual([]);
  });

  test('falls on nothing when the key’s secret is not in the fresh list', async () => {
    await using one = await rig(null, () => ({
      ok: true,
      court: courtOf([user], [findingOf(user)]),
      key: user,
      secrets: new Map(),
      among: [],
    }));
    expect(await carryOut([change('delete', user)], one.ports, on)).toMatchObject([
      { result: 'failed', detail: 'the key is no longer listed' },
    ]);
    expect(one.log).toEqual([]);
    const { changes, keys } = await one.store.load(monday);
    expect(changes).toMatchObject([{ outcome: 'failed' }]);
    expect(keys).toEqual([]);
  });

  test('that a person’s rename came before is not done, and that hand is remembered', async () => {
    await using one = await rig('overtaken');
    const outcomes = await carryOut([change('delete', user)], one.ports, on);
    expect(outcomes).toMatchObject([{ result: 'cancelled' }]);
    const { changes, keys } = await one.store.load(monday);
    expect(changes).toMatchObject([{ outcome: 'overtaken', noEffect: true }]);
    expect(keys).toMatchObject([{ id: user.id, renamedByPersonAt: monday }]);
    expect(one.alerts).toEqual([]);
  });

  test('has taken effect as far as anybody knows, unless it was called off before', async () => {
    const effects: unknown[] = [];
    for (const fault of [null, 'refused'] as const) {
      await using one = await rig(fault);
      await carryOut([change('delete', user)], one.ports, on);
      effects.push(...(await one.store.load(monday)).changes.map(({ noEffect }) => noEffect));
    }
    expect(effects).toEqual([undefined, undefined]);
  });

  test('is on record by the step that people count from 1, where it is one of a step', async () => {
    await using one = await rig();
    const restored = { ...other, name: 'OVER User 2' };
    await carryOut(
      [{ ...change('delete', user), step: 2 }, change('restore', restored, 'User 2')],
      one.ports,
      on,
    );
    const steps = (await one.store.recorded({ limit: 100 })).map(({ kind, facts }) => [kind, facts['step']]);
    expect(steps).toEqual([
      ['change-intent', 3],
      ['change-done', 3],
      ['change-intent', null],
      ['change-done', null],
    ]);
  });

  test('of a key that the look before it no longer has is nobody’s hand on another', async () => {
    const gone = { ok: true, court: courtOf([other], []), key: user, among: [] } as const;
    const secrets = new Map([[user.id, new Secret('tk_1')]]);
    await using one = await rig('unclear, then overtaken', () => ({ ...gone, secrets }));
    expect(await carryOut([change('delete', user)], one.ports, on)).toMatchObject([{ result: 'unclear' }]);
    expect((await one.store.load(monday)).keys).toEqual([]);
  });

  test('that a person’s rename came before is not tried again, though the name was given back since', async () => {
    const over = { ...user, name: 'OVER User 1' };
    const standing = [{ findingId: 'p/x', from: 'User 1', to: over.name, at: monday, restore: true }];
    const court = courtOf([other], [findingOf(user)]);
    const record = { ...recordOf(over), originalName: 'User 1', standing };
    const records = { get: (of: KeyId) => (of === user.id ? record : undefined) };
    const secrets = new Map([[user.id, new Secret('tk_1')]]);
    await using one = await rig('overtaken', () => ({
      ...{ ok: true, court: { ...court, records }, key: over, secrets, among: [] },
    }));
    await carryOut([change('restore', over, 'User 1')], one.ports, on);
    expect((await one.store.load(monday)).keys).toMatchObject([
      { originalName: over.name, standing: [], formerNames: ['User 1', over.name] },
    ]);
  });

  test('of which it is not known what came of it stays open; that hand is remembered all the same', async () => {
    await using one = await rig('unclear, then overtaken');
    const outcomes = await carryOut([change('delete', user)], one.ports, on);
    expect(outcomes).toMatchObject([{ result: 'unclear' }]);
    const { changes, keys } = await one.store.load(monday);
    expect(changes).toMatchObject([{ settledAt: null }]);
    expect(keys).toMatchObject([{ id: user.id, renamedByPersonAt: monday, standing: [] }]);
  });

  test('that the API refuses is settled as failed, and its people are told', async () => {
    await using one = await rig('refused');
    const outcomes = await carryOut([change('delete', user)], one.ports, on);
    expect(outcomes).toMatchObject([{ result: 'failed', detail: 'the API refused' }]);
    expect((await one.store.load(monday)).changes).toMatchObject([{ outcome: 'failed' }]);
    expect(one.alerts).toMatchObject([
      { event: { kind: 'failed', change: 'delete', because: 'the API refused' } },
    ]);
  });

  test('that fails again within a day is not told again', async () => {
    const told = (failureToldAt: number) =>
      rig('refused', () => ({
        ok: true,
        court: courtOf([user], [findingOf(user, { failureToldAt })]),
        key: user,
        secrets: new Map([[user.id, new Secret('tk_1')]]),
        among: [],
      }));
    await using soon = await told(monday - 86_399_999);
    await carryOut([change('delete', user)], soon.ports, on);
    expect(soon.alerts).toEqual([]);
    await using later = await told(monday - 86_400_000);
    await carryOut([change('delete', user)], later.ports, on);
    expect(later.alerts).toHaveLength(1);
  });

  test('whose outcome is unclear is left open, and nothing is told', async () => {
    await using one = await rig('unclear');
    expect(await carryOut([change('delete', user)], one.ports, on)).toMatchObject([{ result: 'unclear' }]);
    expect((await one.store.load(monday)).changes).toMatchObject([{ outcome: null, settledAt: null }]);
    expect(await kinds(one.store)).toEqual(['change-intent', 'change-unclear']);
    expect(one.alerts).toEqual([]);
  });

  test('whose request is broken off, for the state is given up, is left open too', async () => {
    await using one = await rig();
    const closing = new AbortController();
    const writer: AdminWriter = {
      ...one.ports.writer,
      deleteKey: (_key, _secret, signal) => {
        const broken = new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        closing.abort(new Error('the state is being closed'));
        return broken;
      },
    };
    const outcomes = await carryOut(
      [change('delete', user)],
      { ...one.ports, writer, closing: closing.signal },
      on,
    );
    expect(outcomes).toMatchObject([{ result: 'unclear', detail: 'the state is being closed' }]);
    expect((await one.store.load(monday)).changes).toMatchObject([{ outcome: null, settledAt: null }]);
  });

  test.each<[what: string, listed: Key, superseded: boolean, because: string | null]>([
    ['as it was', { ...user, lastUsedAt: monday }, false, null],
    ['under another policy file', user, true, 'the policy file has changed'],
    ['with other metadata', { ...user, metadata: { keep: 'yes' } }, false, 'the key has changed'],
    ['an admin key', { ...user, isAdmin: true }, false, 'the key has changed'],
    ['with another end', { ...user, expiresAt: monday + hour }, false, 'the key has changed'],
    ['with a cap', { ...user, maxTokens: 7 }, false, 'the key has changed'],
    ['a chat key', { ...user, chat: true }, false, 'the key has changed'],
  ])('is tried again only while it is wanted: the key is %s', async (_what, listed, superseded, because) => {
    await using one = await rig();
    const seen: (string | null | undefined)[] = [];
    const again = (unwanted: Unwanted | undefined): Promise<void> => {
      const why = unwanted?.(listed);
      seen.push(why);
      if (typeof why !== 'string') return Promise.resolve();
      return Promise.reject(
        Object.assign(new Error(why), { kind: 'aborted', retryable: false, outcome: 'none' }),
      );
    };
    const writer: AdminWriter = {
      ...one.ports.writer,
      renameKey: (_key, _secret, _name, _signal, unwanted) => again(unwanted),
      deleteKey: (_key, _secret, _signal, _among, unwanted) => again(unwanted),
    };
    const ports: ActPorts = { ...one.ports, writer, superseded: () => superseded };
    const outcomes = await carryOut(
      [change('rename', user, 'OVER User 1'), change('delete', user)],
      ports,
      on,
    );
    expect(seen).toEqual([because, because]);
    const result = because === null ? 'done' : 'cancelled';
    expect(outcomes).toMatchObject([
      { result, detail: because },
      { result, detail: because },
    ]);
    const { changes } = await one.store.load(monday);
    const outcome = because === null ? 'done' : 'not-done';
    expect(changes).toMatchObject([{ outcome }, { outcome }]);
    expect(one.alerts).toHaveLength(because === null ? 1 : 0);
  });

  test.each([
    ['delete', 'idle', 'the key was used again'],
    ['rename', 'idle', 'the key was used again'],
    ['restore', 'idle', null],
    ['delete', 'expiry', null],
  ] as const)(
    'to %s one that is %s is not tried again, once the list says it was used: %s',
    async (...given) => {
      const [kind, why, because] = given;
      const figures = { kind: why, deadline: monday, why: 'never used' };
      const court = courtOf([user, other], [findingOf(user, { figures })]);
      const secrets = new Map([[user.id, new Secret('tk_1')]]);
      await using one = await rig(null, () => ({ ok: true, court, key: user, secrets, among: [] }));
      const seen: (string | null | undefined)[] = [];
      const again = async (unwanted: Unwanted | undefined): Promise<void> => {
        seen.push(unwanted?.(user), unwanted?.({ ...user, lastUsedAt: monday }));
        return Promise.resolve();
      };
      const writer: AdminWriter = {
        ...one.ports.writer,
        renameKey: (_key, _secret, _name, _signal, unwanted) => again(unwanted),
        deleteKey: (_key, _secret, _signal, _among, unwanted) => again(unwanted),
      };
      const to = kind === 'delete' ? null : 'Another';
      await carryOut([change(kind, user, to)], { ...one.ports, writer }, on);
      expect(seen).toEqual([null, because]);
    },
  );

  test('of an idle key that was used before is tried again while nothing is newer', async () => {
    const figures = { kind: 'idle', deadline: monday, why: 'unused' } as const;
    const court = courtOf([user, other], [findingOf(user, { figures })]);
    const secrets = new Map([[user.id, new Secret('tk_1')]]);
    const usedOnce = { ...user, lastUsedAt: monday - hour };
    await using one = await rig(null, () => ({ ok: true, court, key: usedOnce, secrets, among: [] }));
    const seen: (string | null | undefined)[] = [];
    const writer: AdminWriter = {
      ...one.ports.writer,
      deleteKey: async (_key, _secret, _signal, _among, unwanted) => {
        seen.push(unwanted?.(usedOnce), unwanted?.({ ...user, lastUsedAt: monday }));
        return Promise.resolve();
      },
    };
    await carryOut([change('delete', user)], { ...one.ports, writer }, on);
    expect(seen).toEqual([null, 'the key was used again']);
  });

  test('is as old as the look before it at the most, though the clock was set back since', async () => {
    const court = { ...courtOf([user, other], [findingOf(user)]), now: monday + hour };
    const secrets = new Map([[user.id, new Secret('tk_1')]]);
    await using one = await rig(null, () => ({ ok: true, court, key: user, secrets, among: [] }));
    await carryOut([change('delete', user)], one.ports, on);
    expect((await one.store.load(monday)).changes).toMatchObject([{ intentAt: monday + hour }]);
  });

  test('whose intent cannot be written is not asked for', async () => {
    await using one = await rig();
    const full: ActPorts = { ...one.ports, commit: () => Promise.reject(new Error('the disk is full')) };
    await expect(carryOut([change('delete', user)], full, on)).rejects.toThrow('the disk is full');
    expect(one.log).toEqual([]);
  });

  test('is the last one when a stop is asked for while it is under way', async () => {
    await using one = await rig();
    const stop = new AbortController();
    const stopping: ActPorts = {
      ...one.ports,
      recheck: (planned) => {
        stop.abort();
        return one.ports.recheck(planned);
      },
    };
    const outcomes = await carryOut([change('delete', user), change('delete', other)], stopping, stop.signal);
    expect(outcomes).toMatchObject([{ change: { keyId: user.id }, result: 'done' }]);
    expect(one.log).toHaveLength(1);
  });

  test('follows another, each with its own check, and a rename carries the new name', async () => {
    await using one = await rig();
    await carryOut([change('rename', user, 'OVER User 1'), change('delete', other)], one.ports, on);
    expect(one.log).toEqual([
      'rename User 1 (tk_1) → OVER User 1 (intent)',
      'delete User 2 (tk_2) (done, intent)',
    ]);
    const [first] = (await one.store.load(monday)).keys.filter((record) => record.id === user.id);
    expect(first).toMatchObject({
      facts: { name: 'OVER User 1' },
      originalName: 'User 1',
      nameChanged: true,
      standing: [{ from: 'User 1', to: 'OVER User 1', restore: true }],
    });
  });
});

describe('a change that was left open', () => {
  const open = (planned: PlannedChange): Change => ({
    ...planned,
    ...{ id: 'open', intentAt: monday - 1, settledAt: null, outcome: null, detail: null },
  });

  test.each([
    ['a deletion whose key is gone', change('delete', user), [other], 'done', ['deleted']],
    ['a deletion whose key is there', change('delete', user), [user, other], 'not-done', []],
    [
      'a deletion whose fingerprint is another key now',
      change('delete', user),
      [{ ...user, createdAt: 5 }],
      'done',
      [],
    ],
    [
      'a rename that was done',
      change('rename', user, 'OVER User 1'),
      [{ ...user, name: 'OVER User 1' }],
      'done',
      [],
    ],
    ['a rename that was not', change('rename', user, 'OVER User 1'), [user], 'not-done', []],
  ] as const)('%s', async (_what, planned, listed, outcome, told) => {
    await using one = await rig();
    const listing = courtOf(listed, [findingOf(user)]);
    // What is known of a key that is gone is still on record.
    const known = recordOf(user);
    const records = { get: (of: KeyId) => listing.records.get(of) ?? (of === user.id ? known : undefined) };
    const court = { ...listing, records };
    const settled = await reconcile([open(planned)], () => court, one.ports);
    expect(settled).toMatchObject([{ id: 'open', outcome, settledAt: monday }]);
    expect(one.log).toEqual([]);
    expect((await one.store.load(monday)).changes).toMatchObject([{ outcome }]);
    expect(one.alerts.map((alert) => (alert.topic === 'case' ? alert.event.kind : ''))).toEqual(told);
  });
});
