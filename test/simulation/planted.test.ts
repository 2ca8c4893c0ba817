/** That the simulation can fail: every fault that is planted in the program is found. */
import { expect, test } from 'vitest';
import { plantedFaults } from './daemon/planted-faults.ts';
import { findPlanted } from './daemon/planted.ts';

test('every planted fault is found', { timeout: 600_000 }, async () => {
  const told: string[] = [];
  await findPlanted((text) => void told.push(text), { seeds: 300 });
  expect(told.filter((text) => text.startsWith('MISSED'))).toEqual([]);
  expect(told.filter((text) => text.startsWith('found '))).toHaveLength(plantedFaults.length);
});
