import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqlite } from '../../src/store/sqlite.ts';
import { faultOf, now, stateFile } from './fixtures.ts';

/** A process that commits batch after batch and prints each one's number once it is committed. */
function writer(path: string): { child: ChildProcess; numbers: AsyncIterator<string> } {
  const child = spawn(process.execPath, [new URL('writer.ts', import.meta.url).pathname, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, numbers: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function numberAfter(numbers: AsyncIterator<string>, least: number): Promise<number> {
  for (;;) {
    const line = await numbers.next();
    if (line.done === true) throw new Error('the writer ended by itself');
    if (Number(line.value) >= least) return Number(line.value);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('a process killed in the middle of its commits', () => {
  it('leaves what it had committed, each commit whole, and a file that goes on', async () => {
    const path = stateFile();
    let committed = 0;
    for (let kills = 1; kills <= 4; kills += 1) {
      const { child, numbers } = writer(path);
      committed = await numberAfter(numbers, committed + kills * 7);
      await kill(child);

      await using store = await openSqlite(path);
      const { findings, samples, meta } = await store.load(now);
      const last = Number(meta.last);
      expect(last).toBeGreaterThanOrEqual(committed);
      expect(findings).toHaveLength(50 * last);
      expect(samples.map(({ lastAt }) => lastAt)).toEqual(Array<number>(50).fill(last));
      expect((await store.outboxSummary()).pending).toBe(last);
      expect(await store.verifyRecord()).toEqual({ ok: true, entries: last });
    }
  });
});

describe('two processes on one file', () => {
  it('never write both: the second is refused while the first lives, and let in once it was killed', async () => {
    const path = stateFile();
    const { child, numbers } = writer(path);
    await numberAfter(numbers, 1);
    expect(await faultOf(openSqlite(path))).toBe('in-use');
    const live = await numberAfter(numbers, 1);

    await using reader = await openSqlite(path, { readOnly: true });
    const { findings, meta } = await reader.load(now);
    expect(Number(meta.last)).toBeGreaterThanOrEqual(live);
    expect(findings, 'one and the same state').toHaveLength(50 * Number(meta.last));

    await kill(child);
    await using store = await openSqlite(path);
    await store.commit({ meta: { mine: 'yes' } });
    expect((await reader.load(now)).meta.mine).toBe('yes');
  });
});
