import type { ReadMail } from '../mails.ts';
import type { History } from '../history.ts';
import { namesOf } from '../alerts-then.ts';
import { isMisnamed } from './figures.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** Controls, as JSON writes them, and what turns the direction of a text or is not seen. */
const invisible = /\\u00[01]|[\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/;

/** 19: strangers’ text is text: no mention, link or unseen character in Slack, no control code in the log. */
export const hostileText: Witness = ({ stage }) => {
  const breaches: Breach[] = [];
  for (const { channel, text } of stage.sent) {
    if (channel !== 'ops' && channel !== 'second') continue;
    if (/<(!|@|#|https?:\/\/evil)/.test(text))
      breaches.push(breach(19, 'a mention in Slack', stage.endedAt, text.slice(0, 200)));
    if (invisible.test(text))
      breaches.push(breach(19, 'an invisible character in Slack', stage.endedAt, text.slice(0, 200)));
  }
  for (const line of stage.log)
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(line))
      breaches.push(
        breach(19, 'a control code in the log', stage.endedAt, JSON.stringify(line.slice(0, 200))),
      );
  return breaches;
};

/** 19: a stranger's text makes no header, no recipient and no HTML of a mail. */
export const hostileMails: Witness = ({ stage, mails }) => {
  const own = new Set(stage.world.everyKey().map(({ metadata }) => String(metadata?.email).toLowerCase()));
  const said = (code: string, what: string): Breach => breach(19, code, stage.endedAt, what.slice(0, 200));
  return mails.flatMap((mail): Breach[] => {
    const headers = mail.headers.filter(
      (name, place) => isStrange(name) || mail.headers.indexOf(name) < place,
    );
    const [recipient = '', ...others] = mail.recipients;
    const isKnown = recipient === 'team@example.com' || own.has(recipient.toLowerCase());
    const tag = strangeTag(mail);
    return [
      ...(headers.length === 0 ? [] : [said('a header of a mail', headers.join())]),
      ...(/[\r\n]/.test(mail.subject) ? [said('a subject of several lines', mail.subject)] : []),
      ...(isKnown && others.length === 0 ? [] : [said('a recipient of a mail', mail.recipients.join())]),
      ...(tag === null ? [] : [said('HTML in a mail', tag)]),
    ];
  });
};

const ownHeaders =
  /^(from|to|cc|subject|date|message-id|in-reply-to|references|auto-submitted|mime-version|content-(type|transfer-encoding))$/;

function isStrange(header: string): boolean {
  return !ownHeaders.test(header);
}

/** As this program's mails have them: no more than these, with a style and measures, and pictures of their own. */
const ownTag =
  /^<(!doctype html>|!--\[if mso\]>|!\[endif\]-->|\/?(html|head|meta|title|style|body|div|table|tbody|tr|td|h[123]|p|b|br|bdi|ul|li|span)\b[^<>]*>|img src="cid:[^"<>]*"[^<>]*>)/i;

function strangeTag({ html }: ReadMail): string | null {
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', at + 1)) {
    const tag = html.slice(at, at + 400);
    if (!ownTag.test(tag) || /^<[^>]*\s(on\w+|href)=/i.test(tag)) return tag;
  }
  return null;
}

interface Body {
  readonly data: { readonly alerts: readonly { readonly subject?: Readonly<Record<string, unknown>> }[] };
}

/** 19: a webhook's body is JSON, in which keys bear their names as they are. */
export const hostileBodies: Witness = (history) => {
  const { stage } = history;
  // The API itself gives every key another one.
  if (isMisnamed(history)) return [];
  const bodies = stage.sent.filter(({ channel }) => channel === 'pager').map(({ text }) => text);
  return bodies.flatMap((text): Breach[] => {
    const body = parsed(text);
    if (body === null) return [breach(19, 'no JSON in a body', stage.endedAt, text.slice(0, 200))];
    return body.data.alerts
      .filter(({ subject }) => subject?.['id'] !== undefined && !isNamed(history, subject))
      .map(({ subject }) =>
        breach(19, 'another name in a body', stage.endedAt, JSON.stringify(subject).slice(0, 200)),
      );
  });
};

function parsed(text: string): Body | null {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return null;
  }
}

/** As UTF-8 has it; of a very long one, as much as a body takes. */
function isNamed(
  history: History,
  { id, name, original_name: original }: Readonly<Record<string, unknown>>,
): boolean {
  const names = namesOf(history, id as `k_${string}`).map((one) => one.toWellFormed());
  const bears = (text: unknown): boolean =>
    typeof text === 'string' &&
    names.some((one) => one === text || (one.length > 4000 && one.startsWith(text.slice(0, 3000))));
  return bears(name) && bears(original);
}
