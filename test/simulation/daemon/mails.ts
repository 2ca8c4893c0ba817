/** Mails as they would have left the process, read as a mail program reads them. */
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import { mailOf } from '../../../src/alerts/channels/email.ts';
import type { Envelope } from '../../../src/alerts/channels/email.ts';
import type { Message } from '../../../src/alerts/compose/message.ts';
import type { Alert } from '../../../src/core/alert.ts';

export interface SentMail {
  readonly envelope: Envelope;
  readonly message: Message;
}

export interface ReadMail {
  /** Their names in lower case, in order. */
  readonly headers: readonly string[];
  readonly subject: string;
  readonly recipients: readonly string[];
  readonly html: string;
}

/** Of those in which a stranger's text is more than a plain word: making and reading one takes a while. */
export async function readMails(mails: readonly SentMail[]): Promise<ReadMail[]> {
  const transport = createTransport({ streamTransport: true, buffer: true });
  const odd = mails.filter(isOdd);
  // What is sent again is the same mail.
  const once = [...new Map(odd.map((mail) => [nameOf(mail), mail])).values()];
  const read: ReadMail[] = [];
  for (const { envelope, message } of once) {
    const { message: raw } = await transport.sendMail(
      mailOf('Keywarden <keywarden@example.com>', envelope, message),
    );
    const {
      headers,
      subject = '',
      to = [],
      cc = [],
      bcc = [],
      html = '',
    } = await PostalMime.parse(raw as Buffer);
    read.push({
      headers: headers.map(({ key }) => key),
      recipients: [...to, ...cc, ...bcc].map(({ address }) => address ?? ''),
      ...{ subject, html },
    });
  }
  return read;
}

function nameOf({ envelope, message }: SentMail): string {
  return JSON.stringify([message.id, envelope]);
}

function isOdd({ envelope, message }: SentMail): boolean {
  const plain = /^[\w .@-]*$/;
  const strangers = [...message.overtaken, ...message.alerts].flatMap(textsIn);
  return ![envelope.recipient, envelope.cc, ...strangers].every((text) => plain.test(text));
}

function textsIn(alert: Alert): string[] {
  if (alert.topic === 'system') return [];
  const { subject } = alert;
  return subject.kind === 'key' ? [subject.name, subject.originalName] : [subject.group];
}
