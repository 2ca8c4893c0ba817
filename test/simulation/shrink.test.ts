/** What somebody gets to read of a broken promise: the seed, and a shorter history in which it breaks as well. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const room = join(import.meta.dirname, 'daemon');
const fault = 'a cancelled change is not on record';
const finders = JSON.parse(readFileSync(join(room, 'finders.json'), 'utf8')) as Record<string, number>;

test('a seed that fails is told with a shorter history that breaks the same promise', () => {
  const seed = String(finders[fault]);
  const args = [join(room, 'simulate.ts'), '--plant', fault, '--seed', seed];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toContain(`seed ${seed} fails; npm run simulate -- --seed ${seed} replays it\n`);
  const breaches = (text: string): string[] =>
    text.split('\n').flatMap((line) => /^ {2}promise (\d+, [^,]*), at \d+/.exec(line)?.[1] ?? []);
  const [told = '', shortest = ''] = stdout.split('shortest history, ');
  expect(breaches(told)).toContain('7, cancelled and not said');
  expect(breaches(shortest)).toContain(breaches(told)[0]);
  const [, left, all] = /^of (\d+) acts \(of (\d+)\):\n/.exec(shortest) ?? [];
  expect(Number(left)).toBeLessThan(Number(all));
  // What is printed of it is what it is.
  const acts = shortest.split('policy file:')[0]?.match(/^ {2}\{"kind":.*\}$/gm) ?? [];
  expect(acts).toHaveLength(Number(left));
  expect(shortest).toContain('\nvariants {');
});
