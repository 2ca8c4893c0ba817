/** What a pass writes to disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyId } from '../src/core/key.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { median } from './account.ts';

/** Median milliseconds to commit one changed sample for each of `keys` keys, with SQLite on disk. */
export async function measureCommit(keys: number, runs: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'keywarden-bench-'));
  try {
    await using store = await openSqlite(join(folder, 'state.db'));
    const times: number[] = [];
    for (let pass = 0; pass < runs; pass += 1) {
      const at = Date.now() + pass * 60_000;
      const counters = { costMicroUsd: pass, tokens: pass, requests: pass };
      const samples = Array.from({ length: keys }, (_, n) => {
        const key: KeyId = `k_${n.toString(16).padStart(16, '0')}`;
        return { key, createdAt: 1, firstAt: at, lastAt: at, counters };
      });
      const started = performance.now();
      await store.commit({ samples });
      times.push(performance.now() - started);
    }
    return median(times);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
