/** `keywarden notify-test [CHANNEL…]`: do alerts arrive, and what do they look like? */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAddress } from '../alerts/addresses.ts';
import { previewFiles, samplePreviews } from '../alerts/previews.ts';
import { route } from '../alerts/route.ts';
import {
  sampleCaseAlerts,
  sampleDays,
  sampleHostile,
  sampleSystemAlert,
  sampleTroubles,
} from '../alerts/samples.ts';
import type { SampleOptions } from '../alerts/samples.ts';
import { send as sendForReal, transmit } from '../alerts/transmit.ts';
import type { Send } from '../alerts/transmit.ts';
import type { Alert } from '../core/alert.ts';
import type { Channel, PolicyFile, Smtp, Template } from '../core/policy.ts';
import { nearest } from '../policy/nearest.ts';
import type { Clock, DailyUseOf } from '../ports.ts';

export interface NotifyTestArguments {
  /** Names; none: every channel of the policy file. */
  readonly channels: readonly string[];
  /** A folder to write the samples to instead of sending them. */
  readonly preview?: string;
}

export interface NotifyTestDeps {
  readonly policy: Pick<PolicyFile, 'channels' | 'smtp' | 'timeZone'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line of the result. */
  readonly out: (line: string) => void;
  /** A line about what is wrong. */
  readonly err: (line: string) => void;
  readonly send?: Send;
}

/** Slack takes about one message a second. */
const pauseMs = 1000;

/** Exit code: 0 all sent (or written), 1 one could not be, 2 no such channel. */
export async function notifyTest(args: NotifyTestArguments, deps: NotifyTestDeps): Promise<number> {
  const known = [...deps.policy.channels.keys()];
  const unknown = args.channels.filter((name) => !known.includes(name));
  for (const name of unknown) {
    const meant = nearest(name, known);
    deps.err(
      `there is no channel ${JSON.stringify(name)}${meant === null ? '' : `; did you mean ${meant}?`}`,
    );
  }
  if (unknown.length > 0) return 2;
  if (args.preview !== undefined) return preview(args.preview, deps);
  const names = args.channels.length > 0 ? [...new Set(args.channels)] : known;
  if (names.length === 0) {
    deps.err('the policy file has no channels');
    return 1;
  }
  let failed = 0;
  for (const name of names) failed += Number(!(await testChannel(name, deps)));
  return failed === 0 ? 0 : 1;
}

/** Three messages: a word about the test, a case by itself, and a digest of everything that can be said. */
async function testChannel(name: string, deps: NotifyTestDeps): Promise<boolean> {
  const { policy, clock, signal, out, err } = deps;
  const channel = policy.channels.get(name);
  if (channel === undefined) return false;
  const reachable = withSampleAddress(channel, policy.smtp);
  if (reachable !== channel) {
    out(
      `${name}: its addresses come from each key's metadata; the test goes to the address in smtp.from instead`,
    );
  }
  const at = clock.now();
  const options = { at, timeZone: policy.timeZone, channels: [name] };
  const messages = sampleMessages(options);
  for (const alerts of messages) {
    const error = await sendSample(alerts, reachable, deps);
    if (error !== null) {
      err(`${name} (${channel.kind}): ${error}`);
      return false;
    }
    if (channel.kind === 'slack') await clock.sleep(pauseMs, signal);
  }
  out(`${name} (${channel.kind}): sent ${String(messages.length)} messages`);
  return true;
}

function sampleMessages(options: SampleOptions): readonly (readonly Alert[])[] {
  const cases = sampleCaseAlerts(options);
  const notice = cases.filter(({ event }) => event.kind === 'notice').slice(0, 1);
  const everything = [...cases, sampleHostile(options), ...sampleTroubles(options)];
  return [[sampleSystemAlert(options)], notice, everything];
}

/** Why not, or null. Quiet hours are for news; a test is sent at once. */
async function sendSample(
  alerts: readonly Alert[],
  channel: Channel,
  deps: NotifyTestDeps,
): Promise<string | null> {
  const { policy, clock, signal, send = sendForReal } = deps;
  const { smtp } = policy;
  const at = clock.now();
  const options = { at, passId: `test-${String(at)}`, smtp };
  const { items, undeliverable } = route(alerts, new Map([[channel.name, channel]]), options);
  const [first] = items;
  if (first === undefined) return undeliverable[0]?.because ?? 'nothing to send';
  const { recipient, cc } = first;
  const id = `msg_test_${String(at)}_${String(alerts.length)}_${first.alert.id}`;
  const to = { channel, smtp, recipient, cc };
  const dailyUse: DailyUseOf = async ({ figures }) =>
    figures.kind === 'spend' ? sampleDays(at, figures) : null;
  const outcome = await transmit({ by: send, route: to, id, entries: items, now: at, dailyUse }, signal);
  if (!outcome.ok) return outcome.error;
  return outcome.unserved?.map(({ error }) => error).join('; ') ?? null;
}

/** No sample key has metadata: what is addressed by it goes to the sender's own address. */
function withSampleAddress(channel: Channel, smtp: Smtp | null): Channel {
  if (channel.kind !== 'email' || smtp === null) return channel;
  const isFixed = (template: Template): boolean => template.variables.length === 0;
  if ([...channel.to, ...channel.cc].every(isFixed)) return channel;
  const text = /<([^<>]*)>\s*$/.exec(smtp.from)?.[1] ?? smtp.from;
  const sender = parseAddress(text.trim(), { allowLocal: true }) ?? text;
  const fixed: Template = {
    source: sender,
    variables: [],
    render: () => ({ ok: true, text: sender }),
    renderName: () => ({ ok: true, text: sender }),
  };
  return { ...channel, to: [...channel.to.filter(isFixed), fixed], cc: channel.cc.filter(isFixed) };
}

async function preview(folder: string, { policy, clock, out }: NotifyTestDeps): Promise<number> {
  const from = policy.smtp?.from ?? 'Keywarden <keywarden@keywarden.invalid>';
  const samples = samplePreviews({ at: clock.now(), timeZone: policy.timeZone, channels: [] });
  await mkdir(folder, { recursive: true });
  for (const { name, message } of samples) {
    const files = await previewFiles(message, from);
    for (const [ending, content] of Object.entries(files))
      await writeFile(join(folder, `${name}.${ending}`), content);
  }
  out(`wrote ${String(samples.length)} samples to ${folder}`);
  return 0;
}
