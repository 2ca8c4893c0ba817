import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { faultsIn } from './loading.ts';

it('a file with many faults, as an operator reads it', async () => {
  const text = readFileSync(new URL('fixtures/many-faults.yaml', import.meta.url), 'utf8');
  const printed = formatFaults(faultsIn(text));
  expect(printed).not.toContain('hunter2');
  await expect(printed).toMatchFileSnapshot('fixtures/many-faults.txt');
});
