/** `smtp` and `channels`. */
import type { Channel, Quiet, Smtp } from '../core/policy.ts';
import { Secret } from '../core/secret.ts';
import { template, type FileView } from './compile-values.ts';
import type { RawChannel, RawPolicyFile } from './schema.ts';
import { isAddress, isSender, isUrl, parseDays, parseHours } from './values.ts';
import type { Report, View } from './view.ts';

type RawSmtp = NonNullable<RawPolicyFile['smtp']>;
type RawSlack = NonNullable<RawChannel['slack']>;
type RawEmail = NonNullable<RawChannel['email']>;
type RawWebhook = NonNullable<RawChannel['webhook']>;
type RawQuiet = NonNullable<RawChannel['quiet']>;
type Common = Pick<Channel, 'name' | 'quiet'>;

export function compileSmtp(view: View<RawSmtp>, report: Report): Smtp | null {
  if (view.place === undefined) return null;
  const url = secretUrl(view.at('url'), ['smtp:', 'smtps:'], report);
  const from = view.at('from');
  if (from.value !== undefined && !isSender(from.value)) {
    report.fault(from, '`from` must be an address such as "Keywarden <keywarden@example.com>"');
  }
  return { url, from: from.value ?? '' };
}

export function compileChannels(file: FileView, zone: string, report: Report): Map<string, Channel> {
  checkSmtp(file, report);
  const channels = new Map<string, Channel>();
  for (const [name, view] of file.at('channels').entries()) {
    const common = { name, quiet: compileQuiet(view.at('quiet'), zone, report) };
    const channel =
      compileSlack(view.at('slack'), common, report) ??
      compileEmail(view.at('email'), common, report) ??
      compileWebhook(view.at('webhook'), common, report);
    if (channel !== null) channels.set(name, channel);
  }
  return channels;
}

function checkSmtp(file: FileView, report: Report): void {
  if (file.has('smtp')) return;
  const mail = file
    .at('channels')
    .entries()
    .find(([, view]) => view.has('email'));
  if (mail === undefined) return;
  const hint = 'add at the top: smtp: { url: "${SMTP_URL}", from: keywarden@example.com }';
  report.fault(mail[1].at('email'), 'a channel that sends e-mail needs the mail server `smtp`', hint);
}

function compileSlack(view: View<RawSlack>, common: Common, report: Report): Channel | null {
  if (view.place === undefined) return null;
  return {
    ...common,
    kind: 'slack',
    webhookUrl: secretUrl(view.at('webhook_url'), ['https:', 'http:'], report),
  };
}

function compileEmail(view: View<RawEmail>, common: Common, report: Report): Channel | null {
  if (view.place === undefined) return null;
  const addresses = (list: View<string | string[]>) => list.items().map((item) => addressOf(item, report));
  const domains = view.at('allow_domains').items();
  return {
    ...common,
    kind: 'email',
    to: addresses(view.at('to')),
    cc: addresses(view.at('cc')),
    allowDomains: domains.length === 0 ? null : domains.map(({ value }) => (value ?? '').toLowerCase()),
  };
}

function addressOf(view: View<string>, report: Report) {
  const parsed = template(view, 'address', report);
  const isFixed = view.value !== undefined && !view.value.includes('{{');
  if (isFixed && !isAddress(parsed.source)) {
    report.fault(
      view,
      'not an e-mail address',
      'write ops@example.com, or a template such as "{{ metadata.email }}"',
    );
  }
  return parsed;
}

function compileWebhook(view: View<RawWebhook>, common: Common, report: Report): Channel | null {
  if (view.place === undefined) return null;
  const secret = view.at('secret').value;
  return {
    ...common,
    kind: 'webhook',
    url: secretUrl(view.at('url'), ['https:', 'http:'], report),
    secret: secret === undefined ? null : new Secret(secret),
    allowPrivate: view.at('allow_private').value ?? false,
  };
}

/** The URL is never quoted: it is a secret as a whole. */
function secretUrl(view: View<string>, schemes: readonly string[], report: Report): Secret {
  if (view.value !== undefined && !isUrl(view.value, schemes)) {
    const starts = schemes.map((scheme) => `${scheme}//`).join(' or ');
    report.fault(view, `this is not a URL that starts with ${starts}`);
  }
  return new Secret(view.value ?? '');
}

function compileQuiet(view: View<RawQuiet>, zone: string, report: Report): Quiet | null {
  const hours = parseHours(view.at('hours').value ?? '');
  if (hours === null) return null;
  if (hours.from === hours.to)
    report.fault(view.at('hours'), 'quiet hours must end at another time than they begin');
  const days = view
    .at('days')
    .items()
    .flatMap(({ value }) => parseDays(value ?? '') ?? []);
  return {
    fromMinute: hours.from,
    toMinute: hours.to,
    days: days.length === 0 ? [1, 2, 3, 4, 5, 6, 7] : [...new Set(days)].sort((a, b) => a - b),
    except: view.at('except').value ?? [],
    timeZone: zone,
  };
}
