/** By SMTP, through the server of the policy file's `smtp.url`. */
import { createHash } from 'node:crypto';
import type { SendMailOptions } from 'nodemailer';
import type { Smtp } from '../../core/policy.ts';
import type { SendOutcome, Unserved } from '../../ports.ts';
import { reveal, shorten } from '../compose/display.ts';
import { toEmail } from '../compose/email.ts';
import type { Message } from '../compose/message.ts';
import { networkOutcome, refused, sent, tooLarge, tryAgain } from './outcome.ts';
import type { NotSent } from './outcome.ts';

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
 * Accepted once the server has taken it for at least one recipient; those that it refused are told. The
 * server's certificate is checked; `smtp://` takes STARTTLS when it is offered (`?requireTLS=true` insists on it).
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
    const { rejectedErrors = [] } = await transport.sendMail({
      ...mailOf(smtp.from, envelope, message),
      signal,
    });
    if (rejectedErrors.length === 0) return sent;
    return { ok: true, unserved: rejectedErrors.map((error) => unserved(error, envelope, smtp)) };
  } catch (error) {
    return smtpOutcome(error, smtp);
  }
}

/** The mail itself, for sending or for a preview. */
export function mailOf(from: string, { recipient, cc }: Envelope, message: Message): SendMailOptions {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'keywarden.invalid';
  const { pictures, ...content } = toEmail(message);
  const thread = message.thread === null ? null : `<finding.${digest(message.thread)}@${domain}>`;
  return {
    from,
    to: addresses(recipient),
    cc: addresses(cc),
    ...content,
    attachments: pictures.map(({ cid, png }) => ({
      cid,
      content: Buffer.from(png),
      contentType: 'image/png',
      filename: 'days.png',
      contentDisposition: 'inline',
    })),
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
 * 4xx answers and failures on the way may pass. 5xx answers are final (RFC 5321, 4.2.1) where they are given
 * to the message: a refused connection or login refuses none, and can be put right.
 */
function smtpOutcome(error: unknown, smtp: Smtp): NotSent {
  const { responseCode, command, response } = facts(error);
  if (responseCode === null) return networkOutcome(error);
  const refusedThing = whatWasRefused(command, responseCode);
  // What a server says to a login may repeat the login.
  const said = refusedThing === 'login' ? '' : `: ${withoutSecrets(response, smtp)}`;
  const words = `the ${refusedThing} was refused with ${String(responseCode)}${said}`;
  const final =
    refusedThing === 'message' && responseCode >= 500 && !tooManyRecipients(command, responseCode);
  if (!final) return tryAgain(words);
  return isSize(responseCode, response) ? tooLarge(words) : refused(words);
}

function unserved(error: unknown, { cc }: Envelope, smtp: Smtp): Unserved {
  const { recipient: address } = facts(error);
  const copied = cc.split(',').includes(address);
  const { error: words, retryable } = smtpOutcome(error, smtp);
  const to = copied ? { recipient: '', cc: address } : { recipient: address, cc: '' };
  return { ...to, error: `to ${address}: ${words}`, retryable };
}

/** Asking for a login, for another one, or for encryption before it (RFC 4954, 6): to whichever command. */
const loginCodes = [530, 534, 535, 538];
const ofTheMessage = ['MAIL FROM', 'RCPT TO', 'DATA'];

function whatWasRefused(command: string | null, responseCode: number): 'connection' | 'login' | 'message' {
  if (command === null || command.startsWith('AUTH') || loginCodes.includes(responseCode)) return 'login';
  return ofTheMessage.includes(command) ? 'message' : 'connection';
}

/** To be taken for 452 (RFC 5321, 4.5.3.1.10). */
function tooManyRecipients(command: string | null, responseCode: number): boolean {
  return command === 'RCPT TO' && responseCode === 552;
}

/** The same code with this detail says that the mailbox is full (RFC 3463, 3.3). */
function isSize(responseCode: number, response: string): boolean {
  return responseCode === 552 && !/\b5\.2\.2\b/.test(response);
}

interface SmtpFacts {
  readonly responseCode: number | null;
  readonly command: string | null;
  readonly response: string;
  readonly recipient: string;
}

function facts(error: unknown): SmtpFacts {
  const { responseCode, command, response, recipient } = (error ?? {}) as Record<string, unknown>;
  return {
    responseCode: typeof responseCode === 'number' && responseCode >= 400 ? responseCode : null,
    command: typeof command === 'string' ? command : null,
    response: typeof response === 'string' ? response : '',
    recipient: typeof recipient === 'string' ? recipient : '',
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
