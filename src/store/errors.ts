/** What can be wrong with the state, each with what to do about it. */

/**
 * - `corrupt`: damaged, or not an SQLite database at all
 * - `foreign`: a database, but some other program's
 * - `newer`, `older`: written by another version; an older one is brought up to date by the next writer
 * - `in-use`: another process owns the file
 * - `read-only`: may not be written
 * - `disk-full`: nothing of the batch was kept; works again once there is room
 * - `io`: the disk or the path failed in another way
 */
export type StoreFault =
  'corrupt' | 'foreign' | 'newer' | 'older' | 'in-use' | 'read-only' | 'disk-full' | 'io';

/** The one error that the store rejects with, but for mistakes of its callers. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreFault;
  /** The state file as the operator named it. */
  readonly path: string;

  constructor(kind: StoreFault, path: string, detail: string, cause?: unknown) {
    super(`${path}: ${detail} ${remedy[kind]}`, { cause });
    this.kind = kind;
    this.path = path;
  }
}

const remedy: Readonly<Record<StoreFault, string>> = {
  corrupt: 'Move it away and restore a backup; started without one, Keywarden begins anew, gently.',
  foreign: 'Name another file with --state.',
  newer: 'Run that version or a later one.',
  older: 'Start `keywarden run` once to bring it up to date.',
  'in-use': 'Stop the other process, or give this one a state file of its own with --state.',
  'read-only': 'Let this user write the file and its directory, or name another with --state.',
  'disk-full': 'Nothing of this step was kept. Make room on that disk; the file is intact.',
  io: 'Check the path, the mount and the disk.',
};

/** Result codes of https://www.sqlite.org/rescode.html; those not listed are mistakes of the program. */
const sqliteFaults: Readonly<Record<number, StoreFault>> = {
  3: 'read-only', // PERM
  5: 'in-use', // BUSY
  6: 'in-use', // LOCKED
  8: 'read-only', // READONLY
  10: 'io', // IOERR
  11: 'corrupt', // CORRUPT
  13: 'disk-full', // FULL
  14: 'io', // CANTOPEN
  26: 'corrupt', // NOTADB
};

/** IOERR_SHMSIZE: the shared-memory file could not grow, which happens when the disk is full. */
const shmSize = 4874;

const systemFaults: Readonly<Record<string, StoreFault>> = {
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
};

/** The typed error for a failure of SQLite, the file system or a document; anything else comes back as it was. */
export function asStoreError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  if (error instanceof SyntaxError) {
    return new StoreError('corrupt', path, 'A document in it is not JSON.', error);
  }
  const kind = faultOf(error);
  return kind === null ? error : new StoreError(kind, path, sentence(error.message), error);
}

function faultOf(error: Error): StoreFault | null {
  if ('errcode' in error && typeof error.errcode === 'number') {
    if (error.errcode === shmSize) return 'disk-full';
    return sqliteFaults[error.errcode & 0xff] ?? null;
  }
  if ('syscall' in error && 'code' in error && typeof error.code === 'string') {
    return systemFaults[error.code] ?? 'io';
  }
  return null;
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
