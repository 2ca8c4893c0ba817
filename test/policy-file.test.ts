/** The policy file on disk: what is in force is what it says, whenever it was changed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hashRead, readPolicyFile, watchPolicyFile } from '../src/policy-file.ts';

const text = (name: string): string => `version: 1
channels: { ops: { slack: { webhook_url: "https://hooks.example/x" } } }
policies: [{ name: ${name}, select: all, expiry: {}, steps: [{ alert: ops }] }]
`;

function policyFile(): string {
  const dir = mkdtempSync(join(tmpdir(), 'keywarden-policy-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return join(dir, 'policies.yaml');
}

/** Whether a watch that begins now finds the file to be other than what was read. */
async function isFoundChanged(path: string, lastRead: string | null): Promise<boolean> {
  const stop = new AbortController();
  let found = false;
  const changed = (): void => {
    found = true;
    stop.abort();
  };
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(2500)]);
  await watchPolicyFile(path, () => lastRead, changed, signal);
  return found;
}

test('a change is noticed that came before the file was watched, and one of which too little was read', async () => {
  const path = policyFile();
  writeFileSync(path, text('one'));
  const first = hashRead(await readPolicyFile(path, {}, 0));
  writeFileSync(path, text('two'));
  const second = hashRead(await readPolicyFile(path, {}, 0));
  const gone = hashRead(await readPolicyFile(`${path}.gone`, {}, 0));
  const found = await Promise.all([first, second, gone].map((lastRead) => isFoundChanged(path, lastRead)));
  expect(found).toEqual([true, false, true]);
});
