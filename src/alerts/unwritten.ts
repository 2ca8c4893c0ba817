/**
 * What became of messages and could not be written down, the disk being full, say. It is kept in mind for as
 * long as the process lives: what a receiver has accepted is not sent to it again for want of a note.
 */
export interface Unwritten {
  /** Writes what became of these entries, or keeps it in mind and rejects as `write` does. */
  write(ids: readonly string[], write: () => Promise<void>): Promise<void>;
  /** Writes what is kept in mind; resolves to the first fault, or null. */
  writeAgain(): Promise<Error | null>;
  has(id: string): boolean;
}

export function createUnwritten(): Unwritten {
  const kept = new Map<readonly string[], () => Promise<void>>();
  const held = new Set<string>();
  return {
    write: async (ids, write) => {
      try {
        await write();
      } catch (error) {
        kept.set(ids, write);
        for (const id of ids) held.add(id);
        throw error;
      }
    },
    writeAgain: async () => {
      for (const [ids, write] of kept) {
        try {
          await write();
        } catch (error) {
          return error instanceof Error ? error : new Error(String(error));
        }
        kept.delete(ids);
        for (const id of ids) held.delete(id);
      }
      return null;
    },
    has: (id) => held.has(id),
  };
}
