/**
 * Ten thousand findings that open in one pass, on their way to Slack, a webhook, a mailbox and their owners:
 * as one message a channel, and as one message a finding. Run by `delivery.ts`, each in a process of its
 * own for its memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { mailOf } from '../src/alerts/channels/email.ts';
import { compose } from '../src/alerts/compose/compose.ts';
import type { Message } from '../src/alerts/compose/message.ts';
import { toSlack } from '../src/alerts/compose/slack.ts';
import { toWebhook } from '../src/alerts/compose/webhook.ts';
import { createDeliverer } from '../src/alerts/deliver.ts';
import { route } from '../src/alerts/route.ts';
import type { Route } from '../src/alerts/transmit.ts';
import type { PolicyFile } from '../src/core/policy.ts';
import { formatFaults, loadPolicy } from '../src/policy/load.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { minute, monday } from '../test/core/story.ts';
import { old, watched } from '../test/watched.ts';

/** By channel; bytes as they are sent, without what the protocols add. */
type Messages = Readonly<Record<string, { readonly messages: number; readonly bytes: number }>>;

export interface BurstFigures {
  readonly alerts: number;
  readonly channels: Messages;
  /** To look at the account, decide and write to a state in memory. */
  readonly passMs: number;
  /** To write the outbox to SQLite on disk. */
  readonly writeMs: number;
  /** To read the outbox, compose every message, put it into its format and note that it was taken. */
  readonly deliverMs: number;
  /** Of the account and of the passes over it, before anything was sent. */
  readonly passPeakBytes: number;
  readonly peakBytes: number;
}

export interface ApartFigures {
  readonly channels: Messages;
  readonly composeMs: number;
}

export async function measureBurst(keys: number, owners: number): Promise<BurstFigures> {
  const policy = policies();
  const { alerts, passMs } = await decided(policy, keys, owners);
  const passPeakBytes = peakBytes();
  const { items } = route(alerts, policy.channels, { at: monday, passId: 'pass', smtp: policy.smtp });
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  try {
    await using store = await openSqlite(join(folder, 'state.db'));
    const writeMs = await timed(() => store.commit({ outbox: items }));
    const count = counter();
    const now = (): number => monday + minute;
    const deliverer = createDeliverer({
      outbox: store.outbox,
      channels: () => policy,
      clock: { now, monotonic: now, sleep: () => Promise.resolve() },
      send: async (way, message) => {
        await count.add(way, message);
        return { ok: true };
      },
    });
    const deliverMs = await timed(() => deliverer.deliverDue(new AbortController().signal));
    const { channels } = count;
    const times = { passMs, writeMs, deliverMs };
    return { alerts: alerts.length, channels, ...times, passPeakBytes, peakBytes: peakBytes() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same, were every finding a message of its own to each of its channels; composed only. */
export async function measureApart(keys: number, owners: number): Promise<ApartFigures> {
  const policy = policies();
  const { alerts } = await decided(policy, keys, owners);
  const count = counter();
  const composeMs = await timed(async () => {
    for (const alert of alerts) {
      const { items } = route([alert], policy.channels, { at: monday, passId: alert.id, smtp: policy.smtp });
      for (const { channel: name, recipient, cc, id } of items) {
        const channel = policy.channels.get(name);
        if (channel === undefined) throw new Error(`no channel ${name}`);
        const message = compose([{ alert, remark: null }], { id, now: monday });
        await count.add({ channel, smtp: policy.smtp, recipient, cc }, message);
      }
    }
  });
  return { channels: count.channels, composeMs };
}

const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

function counter() {
  const channels: Record<string, { messages: number; bytes: number }> = {};
  const add = async (way: Route, message: Message): Promise<void> => {
    const channel = (channels[way.channel.name] ??= { messages: 0, bytes: 0 });
    channel.bytes += await sizeOf(way, message);
    channel.messages += 1;
  };
  return { channels, add };
}

/** A pass in which every key's own deadline has come. */
async function decided(policy: PolicyFile, keys: number, owners: number) {
  const all = Array.from({ length: keys }, (_, n) => {
    const metadata = { email: `owner-${String(n % owners)}@example.com` };
    return old(`User ${String(n)}`, { expiresAt: monday + 16 * minute - 1, metadata });
  });
  await using account = await watched(policy, ...all);
  const passMs = await timed(() => account.pass());
  const { told } = account;
  if (told.length !== keys) throw new Error(`${String(told.length)} alerts instead of ${String(keys)}`);
  return { alerts: [...told], passMs };
}

const mailer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

async function sizeOf({ channel, smtp, recipient, cc }: Route, message: Message): Promise<number> {
  switch (channel.kind) {
    case 'slack':
      return Buffer.byteLength(JSON.stringify(toSlack(message)));
    case 'webhook':
      return Buffer.byteLength(toWebhook(message));
    case 'email': {
      const { message: raw } = await mailer.sendMail(mailOf(smtp?.from ?? '', { recipient, cc }, message));
      return (raw as Buffer).length;
    }
    default:
      return channel satisfies never;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function policies(): PolicyFile {
  const text = `version: 1
mode: alert
smtp: { url: "\${SMTP}", from: "keywarden@example.com" }
channels:
  ops: { slack: { webhook_url: "\${URL}" } }
  pager: { webhook: { url: "\${URL}" } }
  mail: { email: { to: finance@example.com } }
  owner: { email: { to: "{{ metadata.email }}" } }
policies:
  - { name: expired, select: all, expiry: {}, steps: [{ after: 0s, alert: [ops, pager, mail, owner] }] }
`;
  const value = (name: string) => ({ value: name === 'SMTP' ? 'smtp://127.0.0.1' : 'https://hooks.example' });
  const loaded = loadPolicy(text, 'bench', value, monday);
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
  return loaded.policy;
}

if (import.meta.main) {
  const [, , way, keys = '10000', owners = '500'] = process.argv;
  const measure = way === 'apart' ? measureApart : measureBurst;
  process.stdout.write(`${JSON.stringify(await measure(Number(keys), Number(owners)))}\n`);
}
