/** Where alerts go: receivers that accept, refuse, hang, or accept and are not heard. */
import type { Alert } from '../../../src/core/alert.ts';
import type { SendOutcome } from '../../../src/ports.ts';
import { toEmail } from '../../../src/alerts/compose/email.ts';
import { toSlack } from '../../../src/alerts/compose/slack.ts';
import { toWebhook } from '../../../src/alerts/compose/webhook.ts';
import type { Message } from '../../../src/alerts/compose/message.ts';
import type { Send } from '../../../src/alerts/transmit.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import type { AlertFact, Chronicle } from './chronicle.ts';
import type { Life } from './life.ts';
import type { SentMail } from './mails.ts';
import type { ReceiverTrouble } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import { epoch } from './setting.ts';

export interface ReceiverOptions {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly chronicle: Chronicle;
  /** By channel. */
  readonly troubles: ReadonlyMap<string, ReceiverTrouble>;
  /** What was sent, as it was on the wire. */
  readonly texts: (channel: string, text: string) => void;
  readonly mails: (mail: SentMail) => void;
}

export interface Receivers {
  sendFor(life: Life): Send;
}

const again = (error: string): SendOutcome => ({ ok: false, error, retryable: true, retryAfterMs: null });

export function createReceivers(options: ReceiverOptions): Receivers {
  const { seed, scheduler, chronicle, troubles, texts, mails } = options;
  let count = 0;
  /** By id. */
  const told = new Map<string, AlertFact>();
  return {
    sendFor: (life) => async (route, message, signal) => {
      const { channel, recipient, cc } = route;
      await life.point('before send');
      count += 1;
      const sentAt = scheduler.now();
      const random = createRandom(`${String(seed)}/message ${String(count)}`);
      texts(channel.name, wireText(channel.kind, message));
      if (channel.kind === 'email') mails({ envelope: { recipient, cc }, message });
      const trouble = troubles.get(channel.name);
      const facts = factsOf(message, told);
      if (trouble === 'has no format' && message.alerts.length > 0) throw new Error('no format for it');
      const failed = (why: string): void =>
        chronicle.note({
          kind: 'not accepted',
          run: life.run,
          channel: channel.name,
          message: message.id,
          why,
        });
      await scheduler.sleep(
        trouble === 'slow' ? random.integer(5_000, 50_000) : random.integer(20, 900),
        signal,
        life,
      );
      if (trouble === 'dead' || trouble === 'refuses') {
        failed(trouble);
        return { ...again(`answered ${trouble === 'dead' ? '503' : '410'}`), retryable: trouble === 'dead' };
      }
      const heard = trouble !== 'loses answers';
      if (trouble === 'hangs') await scheduler.sleep(3_600_000, signal, life);
      chronicle.note({
        kind: 'accepted',
        run: life.run,
        channel: channel.name,
        recipient,
        message: message.id,
        sentAt,
        heard,
        alerts: facts,
      });
      await life.point('after acceptance');
      try {
        await scheduler.sleep(random.integer(5, 200), signal, life);
      } catch (error) {
        failed('given up on before it answered');
        throw error;
      }
      return heard ? { ok: true } : again('the connection was cut');
    },
  };
}

/** What a message tells; of one in plain words, what was to be told of the alerts that it names. */
function factsOf({ overtaken, alerts, parts }: Message, told: Map<string, AlertFact>): AlertFact[] {
  const facts = [
    ...overtaken.map((alert) => ({ ...alertFact(alert), event: 'overtaken' })),
    ...alerts.map(alertFact),
  ];
  for (const fact of facts) told.set(fact.id, fact);
  if (facts.length > 0) return facts;
  const named = parts.flatMap((part) => (part.kind === 'list' ? part.lines : []));
  return named.flatMap(({ alertId }) => told.get(alertId) ?? []);
}

function wireText(kind: 'slack' | 'email' | 'webhook', message: Message): string {
  switch (kind) {
    case 'slack':
      return JSON.stringify(toSlack(message).payload);
    case 'email': {
      const { subject, text, html } = toEmail(message);
      return JSON.stringify([subject, text, html]);
    }
    case 'webhook':
      return toWebhook(message);
    default:
      return kind satisfies never;
  }
}

function alertFact(alert: Alert): AlertFact {
  const { id, at } = alert;
  if (alert.topic === 'system') {
    const none = { policy: null, finding: null, key: null, step: null, noticeMs: null, repeated: false };
    return { id, at: at - epoch, event: 'system', ...none, group: null, figures: null, title: alert.title };
  }
  const { event, policy, findingId, subject, figures } = alert;
  return {
    id,
    at: at - epoch,
    event: event.kind,
    policy,
    finding: findingId,
    key: subject.kind === 'key' ? subject.id : null,
    group: subject.kind === 'group' ? subject.group : null,
    step: 'step' in event ? event.step : null,
    noticeMs: event.kind === 'notice' ? event.noticeMs : null,
    repeated: event.kind === 'step' && event.repeated,
    figures,
    title: null,
  };
}
