/** From alerts to outbox items: who is told on which channel, and when. Pure. */
import { createHash } from 'node:crypto';
import type { Alert } from '../core/alert.ts';
import type { EpochMs } from '../core/key.ts';
import type { Channel, Smtp, Template } from '../core/policy.ts';
import type { OutboxItem } from '../ports.ts';
import { domainAllowed, mailboxOf, parseAddress } from './addresses.ts';
import { heldUntil } from './quiet.ts';

export interface RouteOptions {
  readonly at: EpochMs;
  /** What people's clocks show then, for quiet hours; left out: `at`. */
  readonly timeOfDay?: EpochMs;
  /** What is routed with the same id travels together, one message a channel and recipient. */
  readonly passId: string;
  /** Null: no mail server is configured, so no e-mail channel can be reached. Left out: not checked. */
  readonly smtp?: Smtp | null;
}

/** An alert that none of its channels can carry. `channel` names one that was tried; one entry for each. */
export interface Undeliverable {
  readonly alert: Alert;
  readonly channel: string;
  readonly because: string;
}

export interface Routed {
  readonly items: readonly OutboxItem[];
  readonly undeliverable: readonly Undeliverable[];
}

type EmailChannel = Extract<Channel, { kind: 'email' }>;

type Addressed =
  | { readonly ok: true; readonly recipient: string; readonly cc: string; readonly because: string | null }
  | { readonly ok: false; readonly because: string };

export function route(
  alerts: readonly Alert[],
  channels: ReadonlyMap<string, Channel>,
  options: RouteOptions,
): Routed {
  const items: OutboxItem[] = [];
  const undeliverable: Undeliverable[] = [];
  for (const alert of alerts) {
    const routed = routeOne(alert, channels, options);
    items.push(...routed.items);
    undeliverable.push(...routed.undeliverable);
  }
  return { items, undeliverable };
}

function routeOne(alert: Alert, channels: ReadonlyMap<string, Channel>, options: RouteOptions): Routed {
  const tried = [...new Set(alert.channels)].map((name) => {
    const channel = channels.get(name);
    return { name, channel, addressed: addressOf(alert, channel, options) };
  });
  const reachable = tried.flatMap(({ name, channel, addressed }) =>
    channel && addressed.ok ? [{ name, channel, addressed }] : [],
  );
  const failures = tried.flatMap(({ name, addressed }) =>
    addressed.because === null ? [] : [{ name, because: addressed.because }],
  );
  if (reachable.length === 0) {
    return {
      items: [],
      undeliverable: failures.map(({ name, because }) => ({ alert, channel: name, because })),
    };
  }
  const said = failures.map(({ name, because }) => `could not be sent to ${name}: ${because}`);
  const remark = said.length === 0 ? null : said.join('; ');
  return {
    items: reachable.map(({ name, channel, addressed }) => ({
      id: itemId(alert, name, addressed.recipient, addressed.cc),
      alert,
      channel: name,
      recipient: addressed.recipient,
      cc: addressed.cc,
      remark,
      createdAt: options.at,
      ...schedule(alert, channel, options),
    })),
    undeliverable: [],
  };
}

function schedule(
  alert: Alert,
  { quiet }: Channel,
  { at, timeOfDay = at, passId }: RouteOptions,
): { batch: string; notBefore: EpochMs } {
  const until = heldUntil(quiet, [alert], timeOfDay);
  return until === null
    ? { batch: passId, notBefore: at }
    : { batch: `quiet:${new Date(until).toISOString()}`, notBefore: at + (until - timeOfDay) };
}

/** The same for the same alert, channel and recipients. */
export function itemId(alert: Alert, channel: string, recipient: string, cc: string): string {
  const hash = createHash('sha256').update(`${recipient}\n${cc}`).digest('hex').slice(0, 12);
  return `${alert.id}/${channel}/${hash}`;
}

function addressOf(alert: Alert, channel: Channel | undefined, { smtp }: RouteOptions): Addressed {
  if (channel === undefined) return { ok: false, because: 'there is no such channel any more' };
  if (channel.kind !== 'email') return { ok: true, recipient: '', cc: '', because: null };
  if (smtp === null) return { ok: false, because: 'no mail server is configured' };
  return emailAddresses(alert, channel);
}

/** One usable `to` address is enough; what is wrong with the others is said. */
function emailAddresses(alert: Alert, channel: EmailChannel): Addressed {
  const to = channel.to.map((template) => addressFrom(template, alert, channel));
  const cc = channel.cc.map((template) => addressFrom(template, alert, channel));
  const faults = [...new Set([...to, ...cc].flatMap((one) => (one.ok ? [] : [one.because])))];
  const because = faults.length === 0 ? null : faults.join(', ');
  const recipients = distinct(to);
  if (recipients.length === 0) return { ok: false, because: because ?? 'it has no address' };
  const direct = new Set(recipients.map(mailboxOf));
  const copies = distinct(cc).filter((address) => !direct.has(mailboxOf(address)));
  return { ok: true, recipient: recipients.join(','), cc: copies.join(','), because };
}

type OneAddress =
  { readonly ok: true; readonly address: string } | { readonly ok: false; readonly because: string };

function addressFrom(template: Template, alert: Alert, { allowDomains }: EmailChannel): OneAddress {
  const fixed = template.variables.length === 0;
  const names = template.variables.join(', ');
  if (!fixed && alert.topic === 'system') {
    return { ok: false, because: `it is addressed by ${names}, and this is about no key` };
  }
  const rendered = template.render(alert.topic === 'case' ? alert.variables : noVariables);
  if (!rendered.ok) return { ok: false, because: `${rendered.missing} is missing` };
  const address = parseAddress(rendered.text, { allowLocal: fixed });
  if (address === null) {
    return {
      ok: false,
      because: fixed ? 'its address is not valid' : `${names} is not one valid e-mail address`,
    };
  }
  if (!fixed && allowDomains !== null && !domainAllowed(address, allowDomains)) {
    return { ok: false, because: `${names} is in a domain that allow_domains does not name` };
  }
  return { ok: true, address };
}

/** For fixed text, which uses none of them. */
const noVariables = {
  name: '',
  metadata: {},
  policy: '',
  percent: '',
  limit: '',
  level: '',
  period: '',
  deadline: '',
  id: '',
};

function distinct(addresses: readonly OneAddress[]): string[] {
  const valid = addresses.flatMap((one) => (one.ok ? [one.address] : []));
  return [...Map.groupBy(valid, mailboxOf).values()].flatMap((same) => same.slice(0, 1));
}
