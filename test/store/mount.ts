import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { directory } from './fixtures.ts';

/** A file system of a few megabytes that goes with the test; null where this user may not mount one. */
export function mountSmall(megabytes: number): string | null {
  const path = join(directory(), 'mount');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', path], { stdio: 'pipe' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  return path;
}

export function remountReadOnly(path: string): void {
  execFileSync('mount', ['-o', 'remount,ro', path]);
}
