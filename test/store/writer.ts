/** Run as a process of its own: commits numbered batches to the state file it is given, without end. */
import { openSqlite } from '../../src/store/sqlite.ts';
import { finding, item } from './documents.ts';

const [, , path = ''] = process.argv;
const store = await openSqlite(path);
const { meta } = await store.load(0);

for (let n = Number(meta.last ?? 0) + 1; ; n += 1) {
  const some = [...Array(50).keys()];
  await store.commit({
    meta: { last: String(n) },
    findings: some.map((i) => finding(`${n}/${i}`)),
    samples: some.map((i) => ({
      key: `k_${i}`,
      createdAt: 0,
      firstAt: n,
      lastAt: n,
      counters: { costMicroUsd: n, tokens: n, requests: n },
    })),
    outbox: [item(`item ${n}`)],
    record: [{ at: n, kind: 'batch', facts: { n } }],
  });
  // In time for whoever waits to kill it: a line is out before the next batch begins.
  await new Promise((resolve) => process.stdout.write(`${n}\n`, resolve));
}
