import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demo, type DemoFlags } from '../../src/cli/demo.ts';
import type { Ending } from '../../src/cli/demo/summary.ts';
import type { Done } from '../../src/cli/demo/tally.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Interrupted } from '../../src/cli/world.ts';
import type { WorldKey } from '../../src/sandbox/account-key.ts';
import { screen, type FakeScreen } from './account.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const unpaced = 9_000_000;
const october = Date.UTC(2026, 8, 30, 22);
const november = Date.UTC(2026, 9, 31, 23);
const december = Date.UTC(2026, 10, 30, 23);
const monthOf = (at: number): number => [december, november, october].find((start) => start <= at) ?? 0;

const folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
beforeAll(() => void vi.stubEnv('TMPDIR', folder));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

interface Told {
  readonly exitCode: number;
  readonly text: string;
  readonly ending: Ending;
}

async function tell(
  flags: DemoFlags,
  out: FakeScreen = screen(),
  signal = new AbortController().signal,
): Promise<Told> {
  const settings = readSettings({ flags: {}, env: {}, needs: [], terminal: false });
  const world = { env: {}, stdout: out, stderr: screen(), ask: null, signal };
  let ending: Ending | null = null;
  const exitCode = await demo({ speed: unpaced, ...flags }, { settings, world }, (one) => {
    ending = one;
  });
  if (ending === null) throw new Error('the story has no end');
  return { exitCode, text: out.text(), ending };
}

describe('the sixty days', () => {
  let told: Told;
  const keyOf = ({ change }: Done): WorldKey => {
    const key = told.ending.sandbox.world.everyKey().find(({ id }) => id === change.keyId);
    if (key === undefined) throw new Error('a change of a key that never was');
    return key;
  };
  const deletions = (policy: string): readonly Done[] =>
    told.ending.tally.done.filter(({ change }) => change.kind === 'delete' && change.policy === policy);
  const namesOf = (done: readonly Done[]): readonly string[] =>
    done.map((one) => keyOf(one).names[0]?.name ?? '');

  beforeAll(async () => {
    told = await tell({});
  }, 240_000);

  it('end well, and leave nothing behind', () => {
    expect(told.exitCode).toBe(0);
    expect(told.text).toContain('── 60 days later ──');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are told in lines of at most 100 columns, without controls and without secrets', () => {
    const lines = told.text.split('\n');
    expect(lines.length).toBeLessThan(300);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(100);
    expect(lines.filter((line) => /[\p{Cc}\u00A0]/u.test(line))).toEqual([]);
    const { sandbox } = told.ending;
    const secrets = [sandbox.adminKey, sandbox.webhookSecret, sandbox.slack.path];
    for (const secret of [...secrets, ...sandbox.world.everyKey().map((key) => key.secret)])
      expect(told.text).not.toContain(secret);
  });

  it('have everything that the example policies promise', () => {
    const promised = [
      /alert +“User 12” has used 8\d% of its \$20 budget/,
      /renamed +“User 12” is now “OVER BUDGET User 12”/,
      /notice +“OVER BUDGET User 12” will be deleted in 24 hours/,
      /deleted +“OVER BUDGET User 12” was deleted/,
      /restored +“OVER BUDGET User 7” is “User 7” again: its period is over/,
      /people +Somebody renames “OVER BUDGET User 19” to “User 19 asked for more” by hand/,
      /spared +“User 19 asked for more” will not be deleted: a person stopped it/,
      /spared +“User 3” has used 12\d% of its \$20 budget\n.*It would be deleted, but the key is\s+protected/,
      /alert +metadata.team=ml is heading for at least \d+% of its \$500 budget/,
      /alert +metadata.team=ml has used 100% of its \$500 budget/,
      /alert +metadata.team=ml is still at \d+%/,
      /alert +The whole account has used 90% of its \$1,600 budget/,
      /alert +The whole account has used 100% of its \$1,600 budget\n.*\n?.*pager \(webhook\)/,
      /alert +“dev-carol” has used \d+% of its allowance of 5,000 requests/,
      /over +Resolved: “dev-carol”/,
      /alert +“Eval harness” has used 90% of its allowance of 55M tokens/,
      /alert +“dev-hackathon” reaches its expiry deadline in 14 days/,
      /renamed +“dev-hackathon” is now “EXPIRED dev-hackathon”/,
      /deleted +“EXPIRED dev-hackathon” was deleted/,
      /alert +“old-prototype” is idle/,
      /notice +“IDLE old-prototype” will be deleted in 7 days/,
      /deleted +“IDLE old-prototype” was deleted/,
      /spared +“IDLE Legacy import” is “Legacy import” again: the key was used again;\s+its\s+deletion\s+is\s+called\s+off/,
      /held +“ml-notebook” would be renamed, but it is silenced until/,
      /alert +“Production api” is 210 days past its expiry deadline/,
      /digest +ops \(Slack\) gets what quiet hours held back: /,
      /spent +\$\d+ last week/,
    ];
    expect(promised.filter((pattern) => !pattern.test(told.text))).toEqual([]);
    expect(told.text).not.toMatch(/^.{14}(failed|unsure) /m);
  });

  it('see only keys deleted for spend that truly spent more than 120 % of 20 dollars in the month', () => {
    const done = deletions('free-tier-spend');
    expect(namesOf(done)).toEqual(['User 12']);
    for (const one of done) {
      const { secret } = keyOf(one);
      const spent = told.ending.sandbox.world.consumed(secret, monthOf(one.at) - 1, one.at);
      expect(spent.costMicroUsd).toBeGreaterThanOrEqual(24_000_000);
      // What is told of a deletion is what was read directly before it.
      expect(one.alert?.figures).toMatchObject({ level: { low: spent.costMicroUsd } });
    }
  });

  it('see only keys deleted as idle that truly were unused for thirty days and more', () => {
    const done = deletions('idle-keys');
    expect(namesOf(done)).toEqual(['never-used', 'old-prototype']);
    for (const one of done) {
      const key = keyOf(one);
      const { world } = told.ending.sandbox;
      expect(world.consumed(key.secret, one.at - 51 * dayMs, one.at).requests).toBe(0);
      expect(key.createdAt).toBeLessThanOrEqual(one.at - 51 * dayMs);
    }
  });

  it('see only keys deleted as expired that expired a week before', () => {
    const done = deletions('expired-keys');
    expect(namesOf(done)).toEqual(['Trial Acme', 'Contractor Q3', 'dev-hackathon']);
    for (const one of done) expect(keyOf(one).expiresAt).toBeLessThanOrEqual(one.at - 8 * dayMs);
  });

  it('see no deletion without its full notice', () => {
    const deleted = told.ending.tally.done.filter(({ change }) => change.kind === 'delete');
    const notices = deleted.map(({ at, alert }) =>
      alert?.event.kind === 'deleted' ? (at - alert.event.noticeAcceptedAt) / hourMs : 0,
    );
    expect(notices).toEqual([24, 24, 24, 168, 168, 24]);
  });

  it('see no protected key changed', () => {
    const safe = told.ending.sandbox.world.everyKey().filter(({ names, metadata, isAdmin }) => {
      return isAdmin || metadata?.['critical'] === 'true' || names[0]?.name.startsWith('Production ');
    });
    expect(safe).toHaveLength(4);
    for (const key of safe) expect(key).toMatchObject({ deletedAt: null, names: [{}] });
  });

  it('tell owners what they truly spent', () => {
    const { world, inbox } = told.ending.sandbox;
    const mails = inbox.mails.items.filter(({ text }) => /^Spent: .* of \$20\.00/m.test(text));
    expect(mails.length).toBeGreaterThan(12);
    for (const { at, subject, text } of mails) {
      const name = /“(.*)”/.exec(subject)?.[1];
      const key = world.everyKey().find(({ names }) => names.some((one) => one.name === name));
      const period = / in its|Period: (\w+) 2026/.exec(text)?.[1];
      const [from, end] = period === 'October' ? [october, november] : [november, december];
      const spent = world.consumed(key?.secret ?? '', from - 1, Math.min(at, end - 1)).costMicroUsd / 1e6;
      const low = Number(/Spent: (?:between |at least )?\$([\d.]+)/.exec(text)?.[1]);
      expect(low, `${subject}: ${text}`).toBeLessThanOrEqual(spent);
      const exact = !/Spent: (between|at least)/.test(text);
      if (exact && !subject.startsWith('Resolved')) expect(low).toBeCloseTo(spent, 1);
    }
  });

  it('quote what was sent', () => {
    const { inbox } = told.ending.sandbox;
    const subjects = new Set(inbox.mails.items.map((mail) => mail.subject));
    const quoted = [...told.text.matchAll(/(?:notice|deleted) {2,5}(“.*)$/gm)].map(([, text]) => text);
    expect(quoted.length).toBeGreaterThan(12);
    expect(quoted.filter((text) => !subjects.has(text ?? ''))).toEqual([]);
  });

  it('end with the account’s own book and Keywarden’s in agreement, and the record whole', () => {
    const changes = told.ending.sandbox.world.log.items.filter(({ by }) => by === 'api');
    expect(told.text).toContain(`✓ The account saw ${String(changes.length)} changes through its API`);
    expect(changes.length).toBe(told.ending.tally.done.length);
    expect(told.text).toMatch(/✓ The record has \d+ entries/);
    expect(told.text).not.toContain('✗');
  });
});

describe('keywarden demo', () => {
  it('tells the same story for the same seed, and another for another', async () => {
    const [one, same, other] = [
      await tell({ days: 8 }),
      await tell({ days: 8 }),
      await tell({ days: 8, seed: 'another' }),
    ];
    expect(same.text).toBe(one.text);
    expect(other.text).not.toBe(one.text);
  }, 60_000);

  it('keeps to a narrow terminal, and uses colour only where there is some', async () => {
    const { text } = await tell({ days: 2 }, screen(80, true));
    // eslint-disable-next-line no-control-regex -- what is looked for are the terminal's own codes
    const plain = text.replace(/\u001b\[\d+m/g, '');
    expect(plain).not.toBe(text);
    expect(Math.max(...plain.split('\n').map((line) => stringWidth(line)))).toBeLessThanOrEqual(80);
    expect(plain).toMatch(/\n {23,}expired-keys: /);
  }, 30_000);

  it('stops when it is told to, with what it has come to so far', async () => {
    const stop = new AbortController();
    const out = screen();
    const stopping: FakeScreen = {
      ...out,
      write: (text) => {
        out.write(text);
        if (text.includes('Contractor Q3')) stop.abort(new Interrupted('stopped by SIGINT', 130));
      },
    };
    await expect(tell({}, stopping, stop.signal)).rejects.toMatchObject({ exitCode: 130 });
    expect(out.text()).toContain('── 0 days later ──');
    expect(out.text()).toContain('✓ The account saw 1 change through its API');
  }, 30_000);

  it('keeps running until it is stopped, and then has ended well', async () => {
    const stop = new AbortController();
    const out = screen();
    const stopping: FakeScreen = {
      ...out,
      write: (text) => {
        out.write(text);
        if (text.includes('is idle')) stop.abort(new Interrupted('stopped by SIGINT', 130));
      },
    };
    const { exitCode, text } = await tell({ keepRunning: true, days: 1 }, stopping, stop.signal);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/http:\/\/127\.0\.0\.1:\d+\/_sandbox\/log/);
  }, 30_000);
});
