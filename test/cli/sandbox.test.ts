import { IncomingWebhook } from '@slack/webhook';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { sandbox, type SandboxFlags } from '../../src/cli/sandbox.ts';

/** Runs the command and hands what it exports to `during`; then stops it. */
async function runSandbox(flags: SandboxFlags, during: (env: Record<string, string>) => Promise<void>) {
  const stop = new AbortController();
  const out: string[] = [];
  const err: string[] = [];
  const ready = Promise.withResolvers<void>();
  const screen = (lines: string[]) => ({
    write: (text: string) => {
      lines.push(text);
      if (lines === err) ready.resolve();
    },
    columns: null,
    colour: false,
  });
  const running = sandbox(flags, { stdout: screen(out), stderr: screen(err) }, stop.signal);
  await Promise.race([ready.promise, running]);
  const exported = [...out.join('').matchAll(/^export (\w+)='(.*)'$/gm)];
  try {
    await during(
      Object.fromEntries(exported.map(([, name, value]) => [name, value])) as Record<string, string>,
    );
  } finally {
    stop.abort();
  }
  return { exitCode: await running, err: err.join('') };
}

describe('keywarden sandbox', () => {
  it('exports what the daemon needs, and ends when it is stopped', async () => {
    const { exitCode } = await runSandbox({ keys: 7 }, async (env) => {
      expect(Object.keys(env)).toEqual([
        'TINFOIL_API_URL',
        'TINFOIL_ADMIN_KEY',
        'SLACK_WEBHOOK_URL',
        'SMTP_URL',
        'PAGER_URL',
        'PAGER_SECRET',
      ]);
      const keys = await fetch(`${env['TINFOIL_API_URL']}/api/keys`, {
        headers: { Authorization: `Bearer ${env['TINFOIL_ADMIN_KEY']}` },
      });
      expect(await keys.json()).toHaveLength(7);
    });
    expect(exitCode).toBe(0);
  });

  it('shows what arrives, one harmless line each', async () => {
    const { err } = await runSandbox({}, async (env) => {
      await new IncomingWebhook(env['SLACK_WEBHOOK_URL'] ?? '').send({ text: 'over \u001b[2J budget\nnow' });
      const transport = createTransport(env['SMTP_URL']);
      await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'Notice', text: 'x' });
      transport.close();
      await fetch(`${env['TINFOIL_API_URL']}/api/keys`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${env['TINFOIL_ADMIN_KEY']}` },
        body: '{"name": "made"}',
      });
    });
    const lines = err.trimEnd().split('\n').slice(1);
    expect(lines.map((line) => line.replace(/^.*Z {2}/, ''))).toEqual([
      'slack    over ⟨U+001B⟩[2J budget⟨U+000A⟩now',
      'mail     b@example.com: Notice',
      'created  "made" through the API',
    ]);
    expect(lines.every((line) => /^\d{4}-\d\d-\d\d \d\d:\d\dZ {2}/.test(line))).toBe(true);
  });

  it('runs as fast as it is told, in the form it is told', async () => {
    await runSandbox({ speed: 3_600, variant: ['absent=null', 'errorBody=error'] }, async (env) => {
      expect(env['KEYWARDEN_CLOCK']).toMatch(/^\d+,\d+,3600$/);
      const answer = await fetch(`${env['TINFOIL_API_URL']}/api/keys`);
      expect(await answer.json()).toEqual({ error: 'Invalid admin API key' });
    });
  });

  it('refuses a variant there is not, as wrong usage', async () => {
    await expect(runSandbox({ variant: ['x=y'] }, async () => undefined)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('no variant is named "x"') as string,
    });
  });
});
