/** That keys' secrets live in memory for one pass: what is left in the heap of the program when it is over. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { formsOf } from './leaks.ts';
import { stage } from './harness.ts';

const rule = `
policies:
  - name: cap
    select: { name: "User *" }
    spend: { cost: 20.00, per: month }
    steps:
      - { at: 100%, alert: pager, rename: "OVER {{ name }}" }
      - { at: 200%, alert: pager, delete: { notice: 1s } }
`;

const loader = fileURLToPath(new URL('heap.ts', import.meta.url));

/** All strings that a heap snapshot holds (of a long one V8 tells the first thousand characters), and all bytes beside it. */
function heldIn(path: string): (text: string) => boolean {
  const { strings } = JSON.parse(readFileSync(path, 'utf8')) as { readonly strings: readonly string[] };
  const bytes = readFileSync(`${path}.bytes`);
  return (text) => bytes.includes(text) || strings.some((one) => one.includes(text));
}

test('between passes no key’s secret is in the heap, whether it was listed, asked about, renamed or deleted', async (t) => {
  const s = await stage(t);
  const room = mkdtempSync(join(tmpdir(), 'keywarden-heap-'));
  t.onTestFinished(() => rmSync(room, { recursive: true, force: true }));
  const heap = join(room, 'keywarden.heapsnapshot');
  s.policy(rule);
  const keys = { listed: s.key('Somebody'), renamed: s.key('User 7'), deleted: s.key('User 8') };
  s.spend(keys.renamed, 30);
  s.spend(keys.deleted, 50);
  const env = { NODE_OPTIONS: `--import=${loader}`, KEYWARDEN_TEST_HEAP: heap };
  const child = s.start(['run', '--interval', '1h', '--min-interval', '100ms'], env);
  await child.says('delete done');
  expect([s.nameOf(keys.renamed), s.nameOf(keys.deleted)]).toEqual(['OVER User 7', null]);
  child.kill('SIGUSR2');
  await child.says('heap written');
  const holds = heldIn(heap);
  // What it is to remember is found there, so that a secret would be.
  expect([holds(s.sandbox.adminKey), holds('OVER User 7'), holds(keys.listed.id)]).toEqual([
    true,
    true,
    true,
  ]);
  const left = Object.entries(keys).filter(([, { secret }]) => formsOf(secret).some(holds));
  expect(left.map(([name]) => name)).toEqual([]);
});
