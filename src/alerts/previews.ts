/** The samples as messages, and each of them as it is in every format. */
import type { Alert } from '../core/alert.ts';
import { mailOf } from './channels/email.ts';
import { chartOf } from './compose/chart.ts';
import { chartable, compose } from './compose/compose.ts';
import { toEmail } from './compose/email.ts';
import type { EmailContent } from './compose/email.ts';
import type { Chart, Message } from './compose/message.ts';
import { toSlack } from './compose/slack.ts';
import { toWebhook } from './compose/webhook.ts';
import { sampleCaseAlerts, sampleDays, sampleHostile, sampleSystemAlert, sampleTroubles } from './samples.ts';
import type { SampleOptions } from './samples.ts';

export interface Preview {
  /** As a file may be called. */
  readonly name: string;
  readonly message: Message;
}

/** Each sample alone, a few as a digest, and all of them as one. */
export function samplePreviews(options: SampleOptions): readonly Preview[] {
  const cases = sampleCaseAlerts(options);
  const system = [sampleSystemAlert(options), ...sampleTroubles(options)];
  const all = [...cases, sampleHostile(options), ...system];
  const few = cases.filter(({ event }) => ['notice', 'resolved'].includes(event.kind));
  const digests = [
    ['digest', few],
    ['large-digest', all],
  ] as const;
  const singles = all.map((alert) => [alert.id.replace('sample/', ''), [alert]] as const);
  return [...singles, ...digests].map(([name, alerts]) => ({
    name,
    message: compose(
      alerts.map((alert) => ({ alert, remark: null })),
      { id: `msg_sample_${name}`, now: options.at, chart: chartFor(alerts) },
    ),
  }));
}

function chartFor(alerts: readonly Alert[]): Chart | null {
  const alert = chartable(alerts);
  return alert === null ? null : chartOf(sampleDays(alert.at, alert.figures), alert.figures.measure);
}

/** By the ending of their names. */
export async function previewFiles(
  message: Message,
  from: string,
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const email = toEmail(message);
  return {
    txt: `Subject: ${email.subject}\n\n${email.text}`,
    html: withPictures(email),
    eml: await rawMail(message, from),
    'slack.json': `${JSON.stringify(toSlack(message).payload, null, 2)}\n`,
    'webhook.json': `${toWebhook(message)}\n`,
  };
}

/** The HTML by itself, as a browser shows it. */
export function withPictures({ html, pictures }: EmailContent): string {
  return pictures.reduce(
    (text, { cid, png }) =>
      text.replaceAll(`cid:${cid}`, `data:image/png;base64,${Buffer.from(png).toString('base64')}`),
    html,
  );
}

/** The mail as it would be sent, for a mail program to open. */
async function rawMail(message: Message, from: string): Promise<Uint8Array> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ streamTransport: true, buffer: true });
  const mail = mailOf(from, { recipient: 'you@keywarden.invalid', cc: '' }, message);
  const { message: raw } = await transport.sendMail(mail);
  return raw as Buffer;
}
