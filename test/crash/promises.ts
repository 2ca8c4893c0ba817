/** What must hold of everything that happened, by the simulated account's own record and the receivers'. */
import { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../../src/core/key.ts';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import type { Sandbox } from '../../src/sandbox/serve.ts';
import type { WorldEvent } from '../../src/sandbox/world.ts';
import { dayMs, deletionsPerDay, isProtected, marker, noticeMs, periodOf, renamesPerDay } from './account.ts';

/**
 * Between the last look and the change that follows, requests are under way: what a person does in
 * that time comes too late, and a change that was meant in time may land this much later.
 */
const underWayMs = 10 * 60_000;

/** One alert in one message that the webhook took in. */
export interface Told {
  readonly at: EpochMs;
  readonly message: string;
  readonly id: string;
  readonly kind: string | undefined;
  readonly keyId: string | undefined;
}

export function toldBy({ webhook }: Sandbox): readonly Told[] {
  return webhook.received.items.flatMap(({ at, headers, body }) => {
    const { data } = body as {
      data: { alerts: { id: string; kind?: string; subject?: { id?: string } }[] };
    };
    return data.alerts.map(({ id, kind, subject }) => {
      return { at, message: headers['webhook-id'] ?? '', id, kind, keyId: subject?.id };
    });
  });
}

/** Every promise that was broken, in words; empty: none. */
export function brokenPromises(sandbox: Sandbox, stateFile: string): readonly string[] {
  const events = sandbox.world.log.items;
  const told = toldBy(sandbox);
  const key = (event: WorldEvent): WorldKey | undefined => sandbox.world.find(event.secret);
  const changes = events.filter(({ by }) => by === 'api');
  return [
    ...changes.flatMap((event) => (isProtectedKey(key(event)) ? [`${words(event)}: it is protected`] : [])),
    ...changes.filter(({ kind }) => kind === 'deleted').flatMap((event) => ofDeletion(event, events, told)),
    ...changes.filter(({ kind }) => kind === 'renamed').flatMap((event) => ofRename(event, events)),
    ...ofLimits(changes),
    ...twice(changes, key),
    ...ofAlerts(sandbox, told, stateFile),
  ];
}

const words = ({ kind, id, from, to, at }: WorldEvent): string =>
  `${kind} ${id} "${from ?? ''}"${to === null ? '' : ` to "${to}"`} at ${new Date(at).toISOString()}`;

const isProtectedKey = (key: WorldKey | undefined): boolean => key === undefined || isProtected(key);

const before = (events: readonly WorldEvent[], event: WorldEvent): readonly WorldEvent[] =>
  events.slice(0, events.indexOf(event)).filter(({ secret }) => secret === event.secret);

function ofDeletion(event: WorldEvent, events: readonly WorldEvent[], told: readonly Told[]): string[] {
  const notices = told.filter(({ kind, keyId }) => kind === 'notice' && keyId === event.id);
  const inTime = notices.filter(({ at }) => event.at - at >= noticeMs);
  if (inTime.length === 0) return [`${words(event)}: no notice was accepted ${String(noticeMs)} ms before`];
  const since = Math.max(...inTime.map(({ at }) => at));
  const byHand = before(events, event).find(
    ({ by, kind, at }) => by === 'person' && kind === 'renamed' && at > since && at < event.at - underWayMs,
  );
  return byHand === undefined ? [] : [`${words(event)}: a person had renamed it during the notice`];
}

/** A mark is put on a name without one; what takes it off gives back the name, and only over a mark. */
function ofRename(event: WorldEvent, events: readonly WorldEvent[]): string[] {
  const { from, to } = event;
  const last = before(events, event)
    .filter(({ kind }) => kind !== 'deleted')
    .at(-1);
  const late = last?.by === 'person' && last.at >= event.at - underWayMs;
  if (to?.startsWith(marker) === true) {
    return to === `${marker}${from ?? ''}` || late ? [] : [`${words(event)}: not the name it has to get`];
  }
  const own = last?.by === 'api' && from === `${marker}${to ?? ''}`;
  return own || late ? [] : [`${words(event)}: not a name that was the program's own`];
}

function ofLimits(changes: readonly WorldEvent[]): string[] {
  const limits = [
    ['deleted', deletionsPerDay],
    ['renamed', renamesPerDay],
  ] as const;
  return limits.flatMap(([kind, limit]) => {
    const marks = changes.filter((event) => event.kind === kind && !isRestore(event));
    return marks.flatMap((event, index) => {
      const from = event.at - dayMs + underWayMs;
      const count = marks.slice(0, index + 1).filter(({ at }) => at > from).length;
      return count > limit ? [`${words(event)}: ${String(count)} within a day, of ${String(limit)}`] : [];
    });
  });
}

const isRestore = ({ kind, to }: WorldEvent): boolean =>
  kind === 'renamed' && to?.startsWith(marker) === false;

/** A finding lives for one period, and does each thing to its key once. */
function twice(changes: readonly WorldEvent[], key: (event: WorldEvent) => WorldKey | undefined): string[] {
  const seen = new Set<string>();
  return changes.flatMap((event) => {
    const of = key(event);
    if (of === undefined || isRestore(event)) return [];
    const period = Math.floor((event.at - underWayMs / 5) / periodOf(of));
    const what = `${event.kind} ${event.id} ${String(period)}`;
    const again = seen.has(what);
    seen.add(what);
    return again ? [`${words(event)}: for the second time in one period`] : [];
  });
}

interface Kept {
  readonly alert: string;
  readonly channel: string;
  readonly state: string;
}

/** What the program's state file says of its alerts: those it decided, and where each of them is. */
function readAlerts(stateFile: string): { decided: readonly Kept[]; kept: readonly Kept[] } {
  using db = new DatabaseSync(stateFile, { readOnly: true });
  const decided = db
    .prepare(
      `SELECT json_extract(body, '$.facts.alert') AS alert, value AS channel, 'decided' AS state
       FROM record, json_each(json_extract(body, '$.facts.channels'))
       WHERE json_extract(body, '$.kind') LIKE 'alert-%'`,
    )
    .all() as unknown as Kept[];
  const kept = db
    .prepare(`SELECT alert, json_extract(body, '$.channel') AS channel, state FROM outbox`)
    .all() as unknown as Kept[];
  return { decided, kept };
}

function ofAlerts(sandbox: Sandbox, told: readonly Told[], stateFile: string): string[] {
  const { decided, kept } = readAlerts(stateFile);
  const heard = heardOf(sandbox, told);
  const shown = new Map(kept.map(({ alert, channel, state }) => [`${alert} ${channel}`, state]));
  const lost = [...decided, ...kept].flatMap(({ alert, channel }) => {
    const state = shown.get(`${alert} ${channel}`);
    if (state === undefined) return [`alert ${alert} for ${channel} was decided and is nowhere`];
    const missing = state === 'delivered' && !heard(channel, alert);
    return missing ? [`alert ${alert} by ${channel} is said to be delivered and never was`] : [];
  });
  return [...new Set([...lost, ...underTwoNames(told)])];
}

/**
 * Whether the receiver of a channel was sent an alert: the webhook is told its id, people at least the id of its
 * key. What is about no key is asked of the webhook only.
 */
function heardOf(
  { slack, inbox }: Sandbox,
  told: readonly Told[],
): (channel: string, alert: string) => boolean {
  const ids = new Set(told.map(({ id }) => id));
  const keys: Readonly<Record<string, ReadonlySet<string>>> = {
    ops: keysIn(slack.received.items.map(({ body }) => JSON.stringify(body))),
    owner: keysIn(inbox.mails.items.map(({ text }) => text)),
  };
  return (channel, alert) => {
    if (channel === 'pager') return ids.has(alert);
    const [key] = keyIds(alert);
    return key === undefined || keys[channel]?.has(key) === true;
  };
}

const keyIds = (text: string): readonly string[] => text.match(/k_[0-9a-f]{16}/g) ?? [];

const keysIn = (messages: readonly string[]): ReadonlySet<string> => new Set(messages.flatMap(keyIds));

/** The same alert in two messages with different ids would be two for who receives it. */
function underTwoNames(told: readonly Told[]): string[] {
  const messages = new Map<string, string>();
  return told.flatMap(({ id, message }) => {
    const first = messages.get(id) ?? message;
    messages.set(id, first);
    return first === message ? [] : [`alert ${id} came as ${first} and as ${message}`];
  });
}

/** Alerts that are not out yet, or never will be, and are shown so. */
export function undelivered(stateFile: string): { readonly pending: number; readonly dead: number } {
  const { kept } = readAlerts(stateFile);
  const count = (wanted: string): number => kept.filter(({ state }) => state === wanted).length;
  return { pending: count('pending'), dead: count('dead') };
}

/** Alerts that were to be out by an instant, and were never so much as tried. */
export function untried(stateFile: string, dueBy: number): string[] {
  using db = new DatabaseSync(stateFile, { readOnly: true });
  const rows = db
    .prepare(
      `SELECT alert, json_extract(body, '$.channel') AS channel FROM outbox
       WHERE state = 'pending' AND attempts = 0 AND max(not_before, next_attempt_at) <= ? ORDER BY seq`,
    )
    .all(dueBy);
  return rows.map(
    ({ alert, channel }) => `alert ${String(alert)} for ${String(channel)} was due and never tried`,
  );
}
