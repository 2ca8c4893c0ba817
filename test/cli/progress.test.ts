import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress, during } from '../../src/cli/progress.ts';
import { screen } from './account.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const wipe = '\r\u001b[K';

test('what is quick shows nothing', async () => {
  const stderr = screen(80);
  expect(await during(stderr, 'Listing keys…', async () => 7)).toBe(7);
  vi.advanceTimersByTime(10_000);
  expect(stderr.text()).toBe('');
});

test('what takes a while shows one line, rewritten, and takes it away', () => {
  const stderr = screen(80);
  const progress = createProgress(stderr);
  progress.say('first');
  progress.say('second');
  vi.advanceTimersByTime(300);
  progress.say('third');
  progress.clear();
  expect(stderr.text()).toBe(`${wipe}second${wipe}third${wipe}`);
});

test('the line is taken away after a failure too', async () => {
  const stderr = screen(80);
  const failing = during(stderr, 'x', async () => {
    vi.advanceTimersByTime(300);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(stderr.text()).toBe(`${wipe}x${wipe}`);
});

test('it fits a narrow terminal, and is dim where there are colours', () => {
  const stderr = screen(10, true);
  createProgress(stderr).say('Reading transactions');
  vi.advanceTimersByTime(300);
  expect(stderr.text()).toBe(`${wipe}\u001b[2mReading …\u001b[22m`);
});

test('where there is no terminal there is none', () => {
  const stderr = screen(null);
  createProgress(stderr).say('x');
  vi.advanceTimersByTime(300);
  expect(stderr.text()).toBe('');
});
