import { describe, expect, it } from 'vitest';
import { audit, type AuditOptions } from '../../src/cli/audit.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

const at = Date.UTC(2026, 10, 23, 10);
const broken = { ok: false, seq: 3, because: 'an entry is missing' } as const;

/** Runs the command over a record of as many entries, and says what came out. */
async function run(options: Partial<AuditOptions>, entries = 0, verifyRecord?: Store['verifyRecord']) {
  await using store = await openSqlite(':memory:');
  const facts = (n: number) => ({ name: `User ${n}\u001b[2J\u202e` });
  await store.commit({
    record: Array.from({ length: entries }, (_, n) => ({ at: at + n, kind: 'rename', facts: facts(n + 1) })),
  });
  const out: string[] = [];
  const err: string[] = [];
  const code = await audit(
    { verify: false, limit: 2, output: 'table', ...options },
    {
      store: {
        recorded: (query) => store.recorded(query),
        verifyRecord: verifyRecord ?? (() => store.verifyRecord()),
      },
      stdout: { write: (text: string) => out.push(text) },
      stderr: { write: (text: string) => err.push(text) },
    },
  );
  return { code, out: out.join(''), err: err.join('') };
}

describe('audit', () => {
  it('shows the newest entries, oldest of them first, and hides nothing in them', async () => {
    expect(await run({}, 3)).toEqual({
      code: 0,
      out: [
        '2  2026-11-23T10:00:00.001Z  rename  name="User 2\\u001b[2J⟨U+202E⟩"\n',
        '3  2026-11-23T10:00:00.002Z  rename  name="User 3\\u001b[2J⟨U+202E⟩"\n',
      ].join(''),
      err: '',
    });
  });

  it('gives each fact its name, leaves out what is not there, and lets no name pass for a fact', async () => {
    await using store = await openSqlite(':memory:');
    const facts = { change: 'delete', step: 2, to: null, from: 'a  keyId=b', channels: ['ops'] };
    await store.commit({ record: [{ at, kind: 'held', facts }] });
    let out = '';
    const stdout = { write: (text: string) => (out += text) };
    await audit({ verify: false, limit: 1, output: 'table' }, { store, stdout, stderr: stdout });
    expect(out).toBe(
      '1  2026-11-23T10:00:00.000Z  held  change=delete  channels=["ops"]  from="a  keyId=b"  step=2\n',
    );
  });

  it('says so when there is nothing', async () => {
    expect(await run({})).toEqual({ code: 0, out: 'The record is empty.\n', err: '' });
    expect(await run({ output: 'json' })).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('gives the same as JSON, escaped', async () => {
    const { out } = await run({ output: 'json' }, 1);
    expect(out).not.toContain('\u202e');
    expect(JSON.parse(out)).toMatchObject([
      { seq: 1, at, kind: 'rename', facts: { name: 'User 1\u001b[2J\u202e' } },
    ]);
  });

  it('verifies the chain', async () => {
    expect(await run({ verify: true }, 3)).toEqual({
      code: 0,
      out: 'The record is whole: 3 entries, each chained to the one before.\n',
      err: '',
    });
    const json = await run({ verify: true, output: 'json' }, 3);
    expect(JSON.parse(json.out)).toEqual({ ok: true, entries: 3 });
  });

  it('fails when the chain is broken, and says where', async () => {
    const table = await run({ verify: true }, 0, async () => broken);
    expect(table).toMatchObject({ code: 1, out: '' });
    expect(table.err).toMatch(/^The record is broken at entry 3: an entry is missing\.\n/);
    const json = await run({ verify: true, output: 'json' }, 0, async () => broken);
    expect(json).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(json.out)).toEqual(broken);
  });
});
