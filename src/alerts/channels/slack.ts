/** To a Slack incoming webhook. Its URL is a secret: whoever has it can post. */
import type { IncomingWebhookSendArguments } from '@slack/webhook';
import type { Channel } from '../../core/policy.ts';
import type { SendOutcome } from '../../ports.ts';
import type { Message } from '../compose/message.ts';
import { toPlainSlack, toSlack } from '../compose/slack.ts';
import type { SlackPayload } from '../compose/slack.ts';
import { httpOutcome, networkOutcome, tryAgain } from './outcome.ts';

type SlackChannel = Extract<Channel, { kind: 'slack' }>;

/** When Slack cannot read the blocks, the words go without them, as a message of its own: `nextTurn` waits until it may. */
export async function sendSlack(
  channel: SlackChannel,
  message: Message,
  signal: AbortSignal,
  nextTurn: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
): Promise<SendOutcome> {
  const blocks = toSlack(message);
  const answer = await post(channel, blocks.payload, signal);
  if (answer.kind === 'failed') return networkOutcome(answer.error);
  if (answer.status !== 400 || !answer.reason?.includes('block'))
    return outcome(answer, message, blocks.told);
  try {
    await nextTurn(signal);
  } catch {
    return tryAgain('stopped');
  }
  const plain = toPlainSlack(message);
  const second = await post(channel, plain.payload, signal);
  return second.kind === 'failed' ? networkOutcome(second.error) : outcome(second, message, plain.told);
}

interface Answered {
  readonly kind: 'answered';
  readonly status: number;
  readonly retryAfter: string | null;
  /** Slack's word for what is wrong: `no_service`, `invalid_blocks`. */
  readonly reason: string | null;
}

type Answer = Answered | { readonly kind: 'failed'; readonly error: unknown };

function outcome(answer: Answered, message: Message, told: readonly string[]): SendOutcome {
  // The library refuses redirects; none of Slack's answers is one.
  if (answer.status === 0) return tryAgain('could not be reached');
  const taken = httpOutcome(answer, message.at);
  return taken.ok ? { ...taken, told } : taken;
}

/**
 * The library has no signal and keeps no headers, so its `fetch` is ours. It retries nothing by
 * default and treats redirects as errors.
 */
async function post(channel: SlackChannel, payload: SlackPayload, signal: AbortSignal): Promise<Answer> {
  const { IncomingWebhook } = await import('@slack/webhook');
  let status = 0;
  let retryAfter: string | null = null;
  const webhook = new IncomingWebhook(channel.webhookUrl.reveal(), {
    retryConfig: { retries: 0 },
    fetch: async (url, init) => {
      const response = await fetch(url, { ...init, signal });
      status = response.status;
      retryAfter = response.headers.get('retry-after');
      return response;
    },
  });
  try {
    const { text } = await webhook.send(payload as unknown as IncomingWebhookSendArguments);
    return { kind: 'answered', status, retryAfter, reason: reasonOf(text) };
  } catch (error) {
    if (status < 300) return { kind: 'failed', error };
    const body = error instanceof Error && 'body' in error ? error.body : null;
    return { kind: 'answered', status, retryAfter, reason: reasonOf(body) };
  }
}

/** Only what has the form of one of Slack's words; anything else might echo the URL. */
function reasonOf(body: unknown): string | null {
  return typeof body === 'string' && /^[a-z_]{1,40}$/.test(body.trim()) ? body.trim() : null;
}
