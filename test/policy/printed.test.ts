import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { formatFaults } from '../../src/policy/load.ts';
import { faultsIn } from './loading.ts';

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

it('a file with many faults, as an operator reads it', () => {
  const printed = formatFaults(faultsIn(read('many-faults.yaml')));
  expect(printed).not.toContain('hunter2');
  expect(printed).toBe(read('many-faults.txt'));
});
