/** Names and metadata of keys, through every message that may speak of them and through the whole program. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import { mailOf } from '../../src/alerts/channels/email.ts';
import { compose } from '../../src/alerts/compose/compose.ts';
import { toSlack, type SlackPayload } from '../../src/alerts/compose/slack.ts';
import { toText } from '../../src/alerts/compose/text.ts';
import { toWebhook } from '../../src/alerts/compose/webhook.ts';
import { route } from '../../src/alerts/route.ts';
import { runProgram } from '../../src/cli/program.ts';
import { createLogger } from '../../src/log.ts';
import { metadata as metadataOf } from '../../src/tinfoil/schemas.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/serve.ts';
import { at, channelMap, day, email, named, slack, variables } from '../alerts/build.ts';
import { screen } from '../cli/account.ts';
import { must, subject, type Subject } from './subject.ts';
import { hostileMetadata, hostileText } from './texts.ts';

const line = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Joiners within an emoji or a word are what they seem. */
const controls = (text: string): boolean => line.test(text.replace(/[\n\u200c\u200d]/g, ''));

function ofSlack(payload: SlackPayload): void {
  const text = JSON.stringify(payload);
  must(text.length < 60_000, 'a Slack message of great length', text.length);
  must(!/[<>]/.test(text), 'a mention or a link', text);
  const shown = JSON.stringify(payload, (_, value: unknown) => {
    if (typeof value === 'string') must(!controls(value), 'control characters for Slack', value);
    return value;
  });
  must(shown.length > 0, 'nothing for Slack');
}

const transport = createTransport({ streamTransport: true, buffer: true });
const headerNames = new Set(
  'from to cc message-id in-reply-to references date mime-version content-type subject auto-submitted x-auto-response-suppress'.split(
    ' ',
  ),
);

async function ofMail(message: ReturnType<typeof compose>, recipient: string): Promise<void> {
  const mail = mailOf('Keywarden <keywarden@example.com>', { recipient, cc: '' }, message);
  const { message: raw } = (await transport.sendMail(mail)) as { message: Buffer };
  must(raw.length < 300_000, 'a mail of great length', raw.length);
  const { headers, subject: title = '', html = '', text = '', to = [] } = await PostalMime.parse(raw);
  const strange = headers.filter(({ key }) => !headerNames.has(key));
  must(strange.length === 0, 'headers that nobody wrote', strange);
  must(to.length === recipient.split(',').length, 'other recipients', to);
  must(!controls(title) && !title.includes('\n'), 'control characters in a subject', title);
  must(!controls(text), 'control characters in a mail', text);
  must(
    !/<(?!\/?(html|head|meta|title|style|body|div|table|tr|td|h[1-3]|p|span|bdi|br|ul|li|b|!doctype)\b|!--\[if mso\]|!\[endif\])/i.test(
      html,
    ),
    'other HTML',
    html,
  );
  must(!/<[^>]*\son\w+=|<[^>]*(href|src)=/i.test(html), 'HTML that does something', html);
}

interface Named {
  readonly name: string;
  readonly original: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const channels = channelMap(slack('ops'), email('owner', ['{{ metadata.email }}']));

/** An alert about such a key, as every channel gets it. */
async function asMessages({ name, original, metadata }: Named): Promise<void> {
  const alerts = (['step', 'notice', 'cancelled'] as const).map((kind) =>
    named(name, {
      id: `alert-${kind}`,
      subject: { kind: 'key', id: 'k_0123456789abcdef', name, originalName: original },
      variables: variables({ name: original, metadata: metadataOf({ metadata }) }),
      channels: ['owner', 'ops'],
      next: [{ kind: 'rename', to: name }],
      event:
        kind === 'step'
          ? { kind, step: 1, of: 2, repeated: false }
          : kind === 'notice'
            ? { kind, step: 2, of: 2, noticeMs: day }
            : { kind, because: `it is called ${name} now` },
    }),
  );
  const { items } = route(alerts, channels, { at, passId: 'pass-1' });
  must(items.length >= alerts.length, 'an alert that goes nowhere', items.length);
  const message = compose(items, { id: 'msg_1', now: at });
  ofSlack(toSlack(message).payload);
  const text = toText(message);
  must(text.length < 60_000 && !controls(text), 'broken text', text);
  const webhook = toWebhook(message);
  must(webhook.length < 1_000_000, 'a webhook body of great length', webhook.length);
  JSON.parse(webhook);
  for (const { recipient } of items.filter(({ channel }) => channel === 'owner')) {
    must(/^[^\s<>",;@]+@[^\s<>",;@]+$/.test(recipient), 'a recipient that is no address', recipient);
  }
  await ofMail(message, 'ops@example.com');
}

const key: fc.Arbitrary<Named> = fc.record({
  name: hostileText,
  original: hostileText,
  metadata: hostileMetadata,
});

/** Facts about such a key in a line of the log, in both formats. */
async function asLog({ name, metadata }: Named): Promise<void> {
  for (const logFormat of ['json', 'pretty'] as const) {
    let written = '';
    const sink = { colour: false, write: (text: string) => void (written += text) };
    const log = await createLogger({ logLevel: 'debug', logFormat }, sink);
    log.info({ name, metadata: metadataOf({ metadata }), err: new Error(name) }, 'a key');
    must(written.indexOf('\n') === written.length - 1, 'more than one line of log', written);
    must(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(written.slice(0, -1)), 'control characters in a log', written);
  }
}

const policies = `version: 1
mode: enforce
smtp: { url: "\${SMTP_URL}", from: "Keywarden <keywarden@example.com>" }
channels:
  ops: { slack: { webhook_url: "\${SLACK_WEBHOOK_URL}" } }
  owner: { email: { to: "{{ metadata.email }}" } }
  pager: { webhook: { url: "\${PAGER_URL}", secret: "\${PAGER_SECRET}", allow_private: true } }
protect:
  - { name: "*Production*" }
  - { metadata: { critical: "t*e" } }
limits: { delete: { per_run: 9, per_day: 9, percent: 100 }, rename: { per_run: 9, per_day: 9 } }
policies:
  - name: cap
    select: { not: { name: "*a*?*b" } }
    spend: { cost: 5.00, per: month }
    steps:
      - { at: 50%, alert: [owner, ops, pager] }
      - { at: 100%, alert: [owner, ops, pager], rename: "OVER {{ name }}" }
      - { at: 120%, alert: [owner, ops, pager], delete: { notice: 1h } }
  - name: team
    select: { metadata: { team: "*" } }
    spend: { cost: 5.00, per: month, across: metadata.team }
    steps: [{ at: 50%, alert: [ops, pager] }]
  - name: said
    select: { metadata: { plan: "*" } }
    expiry: { max_age: 1d }
    steps: [{ alert: ops, rename: "{{ metadata.plan }}" }]
`;

/** Commands that show what is known of keys, each with the exit codes that are right. */
const commands = (id: string, name: string): readonly (readonly [readonly string[], readonly number[]])[] => [
  [['run', '--once'], [0]],
  [['run', '--once', '--log-format', 'pretty'], [0]],
  [['plan'], [0]],
  [['plan', '--output', 'json'], [0]],
  [['keys'], [0]],
  [['keys', '--output', 'json'], [0]],
  [['usage'], [0]],
  [
    ['explain', id],
    [0, 1],
  ],
  [
    ['explain', '--', name],
    [0, 1, 2],
  ],
  [['audit'], [0]],
];

async function run(sandbox: Sandbox, dir: string, argv: readonly string[], right: readonly number[]) {
  const [stdout, stderr] = [screen(80), screen(null)];
  const env = {
    TINFOIL_API_URL: sandbox.apiUrl,
    TINFOIL_ADMIN_KEY: sandbox.adminKey,
    SLACK_WEBHOOK_URL: sandbox.slackUrl,
    PAGER_URL: sandbox.webhookUrl,
    PAGER_SECRET: sandbox.webhookSecret,
    SMTP_URL: sandbox.smtpUrl,
    KEYWARDEN_POLICY: join(dir, 'policies.yaml'),
    KEYWARDEN_STATE: join(dir, 'state.db'),
    KEYWARDEN_LISTEN: 'off',
  };
  const { signal } = new AbortController();
  const code = await runProgram(argv, { env, stdout, stderr, ask: null, signal });
  const printed = stdout.text() + stderr.text();
  must(right.includes(code), `${argv[0] ?? ''} ended with ${String(code)}`, printed.slice(-400));
  must(!/unexpected|at file:/.test(stderr.text()), 'an error that nobody expected', stderr.text());
  must(!controls(printed), 'control characters on a terminal', printed);
  must(printed.length < 2_000_000, 'too much on a terminal', printed.length);
}

/** Two such keys and one that is like others, over all limits, for a pass or two of the real program. */
async function throughTheProgram([one, two]: readonly [Named, Named], step: () => void): Promise<void> {
  const clock = { now: Date.now, sleep: async () => undefined };
  const dir = mkdtempSync(join(tmpdir(), 'keywarden-fuzz-'));
  await using sandbox = await startSandbox({ seed: 'fuzz', clock, population: 'quiet', speed: 2 });
  try {
    writeFileSync(join(dir, 'policies.yaml'), policies);
    const createdAt = Date.now() - 9 * day;
    for (const { name, metadata } of [one, two, { name: 'User 1', metadata: {} }]) {
      const { secret } = sandbox.world.addKey({ name, metadata, createdAt });
      sandbox.world.spend(secret, { costMicroUsd: 7_000_000, tokens: 9, requests: 1 }, 'gpt-oss-120b');
    }
    const [first] = sandbox.world.keys();
    for (const [argv, right] of commands(first?.id ?? '', one.name)) {
      step();
      await run(sandbox, dir, argv, right);
    }
    step();
    for (const { body } of sandbox.slack.received.items) ofSlack(body as SlackPayload);
    for (const { raw, headers } of sandbox.inbox.mails.items) {
      const strange = headers.filter(
        ({ key: header }) => !headerNames.has(header) && header !== 'content-transfer-encoding',
      );
      must(strange.length === 0, 'headers that nobody wrote', strange);
      must(raw.length < 300_000, 'a mail of great length', raw.length);
    }
    const said = sandbox.slack.received.items.length + sandbox.webhook.received.items.length;
    must(said > 0, 'nobody was told anything');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export const nameSubjects: readonly Subject[] = [
  subject('names and metadata: in every message', key, asMessages, 0.5),
  subject('names and metadata: in the log', key, asLog),
  subject('names and metadata: through the program', fc.tuple(key, key), throughTheProgram, 0.02),
];
