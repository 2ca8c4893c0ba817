import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { StoreError, type StoreFault } from '../../src/store/errors.ts';

export * from './documents.ts';

/** A directory that goes with the test. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'keywarden-store-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const stateFile = (): string => join(directory(), 'keywarden.db');

/** The fault that a promise is rejected with. */
export async function faultOf(promise: Promise<unknown>): Promise<StoreFault | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}
