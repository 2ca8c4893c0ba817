/** By SMTP, through the server of the policy file's `smtp.url`. */
import { createHash } from 'node:crypto';
import type { SendMailOptions } from 'nodemailer';
import type { Smtp } from '../../core/policy.ts';
import type { SendOutcome } from '../../ports.ts';
import { reveal, shorten } from '../compose/display.ts';
import { toEmail } from '../compose/email.ts';
import type { Message } from '../compose/message.ts';
import { networkOutcome, refused, sent, tryAgain } from './outcome.ts';

export interface Envelope {
  /** Comma-separated plain addresses. */
  readonly recipient: string;
  readonly cc: string;
}

/** Each stage's patience; the whole attempt is bounded by its signal. */
const timeouts = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
  dnsTimeout: 10_000,
};

/**
 * Accepted once the server has taken it for at least one recipient. The server's certificate is
 * checked; `smtp://` takes STARTTLS when it is offered (`?requireTLS=true` insists on it).
 */
export async function sendEmail(
  smtp: Smtp,
  envelope: Envelope,
  message: Message,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const { createTransport } = await import('nodemailer');
  try {
    const transport = createTransport({
      ...timeouts,
      url: smtp.url.reveal(),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    await transport.sendMail({ ...mailOf(smtp.from, envelope, message), signal });
    return sent;
  } catch (error) {
    return smtpOutcome(error, smtp);
  }
}

/** The mail itself, for sending or for a preview. */
export function mailOf(from: string, { recipient, cc }: Envelope, message: Message): SendMailOptions {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'keywarden.invalid';
  const thread = message.thread === null ? null : `<finding.${digest(message.thread)}@${domain}>`;
  return {
    from,
    to: addresses(recipient),
    cc: addresses(cc),
    ...toEmail(message),
    messageId: `<${digest(message.id)}@${domain}>`,
    ...(thread === null ? {} : { inReplyTo: thread, references: thread }),
    date: new Date(message.at),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/** As objects, so that nothing in them is parsed again. */
function addresses(list: string): { name: string; address: string }[] {
  return list === '' ? [] : list.split(',').map((address) => ({ name: '', address }));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * 4xx answers and failures on the way may pass; 5xx answers are final (RFC 5321, 4.2.1). Not so for
 * a login: that refuses no message, and the password can be put right.
 */
function smtpOutcome(error: unknown, smtp: Smtp): SendOutcome {
  const { responseCode, command, response } = facts(error);
  if (responseCode === null) return networkOutcome(error);
  // What a server says to a login may repeat the login.
  const login = command === null || command.startsWith('AUTH');
  const said = login ? '' : `: ${withoutSecrets(response, smtp)}`;
  const words = `${login ? 'the login' : 'the message'} was refused with ${String(responseCode)}${said}`;
  return responseCode >= 500 && !login ? refused(words) : tryAgain(words);
}

function facts(error: unknown): { responseCode: number | null; command: string | null; response: string } {
  const { responseCode, command, response } = (error ?? {}) as Record<string, unknown>;
  return {
    responseCode: typeof responseCode === 'number' && responseCode >= 400 ? responseCode : null,
    command: typeof command === 'string' ? command : null,
    response: typeof response === 'string' ? response : '',
  };
}

/** One line of the server's answer, without the parts of the URL that identify anyone. */
function withoutSecrets(response: string, smtp: Smtp): string {
  const { username, password } = new URL(smtp.url.reveal());
  const plain = [decodeURIComponent(username), decodeURIComponent(password)].filter((one) => one !== '');
  const forms = plain.flatMap((one) => [one, encodeURIComponent(one), Buffer.from(one).toString('base64')]);
  const cleaned = forms.reduce((text, form) => text.replaceAll(form, '…'), response);
  return shorten(reveal(cleaned.replace(/^\d{3}[ -]/, '').replace(/\s+/g, ' ')), 200);
}
