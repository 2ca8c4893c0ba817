/** The chronicle as witnesses read it: what was asked of the account, and what could be known at that moment. */
import type { KeyId } from '../../../src/core/key.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import { booksOf } from './books.ts';
import type { Books } from './books.ts';
import type { Entry } from './chronicle.ts';
import type { ReadMail } from './mails.ts';
import { namesOf } from './names.ts';
import type { NameChange } from './names.ts';
import type { FileShape } from './policies.ts';
import type { Stage } from './stage.ts';

export type Of<K extends Entry['kind']> = Extract<Entry, { readonly kind: K }>;

/** A request that changes a key, as it left the program. */
export interface Asked {
  /** Its place in the chronicle. */
  readonly index: number;
  readonly n: number;
  readonly run: number;
  readonly at: number;
  readonly kind: 'delete' | 'rename' | 'create';
  /** Null: no key that ever was. */
  readonly key: WorldKey | null;
  readonly to: string | null;
  readonly intended: boolean;
  /** When the account changed by it; null: it did not. */
  readonly effectAt: number | null;
  /** The policy file by which it was made: two where another one was read in the same instant. */
  readonly files: readonly FileShape[];
  /** When the account last was as a truthful list showed it; -1: there was none in this run. */
  readonly listAsOf: number;
  /** Instants that answers of the last minutes told of. */
  readonly knownAsOf: readonly number[];
}

export interface History {
  readonly stage: Stage;
  readonly books: Books;
  readonly mails: readonly ReadMail[];
  readonly entries: readonly Entry[];
  readonly asked: readonly Asked[];
  readonly accepted: readonly (Of<'accepted'> & { readonly index: number })[];
  /** Instants at which the state was lost, and the beginning. */
  readonly statesSince: readonly number[];
  key(id: KeyId): WorldKey | null;
  readonly names: (id: KeyId) => readonly NameChange[];
  nameAt(id: KeyId, at: number): string;
  /** Its name before the program's own renames that it remembers: one, or two where a process died of which nobody knows what it had seen. */
  originalNamesAt(id: KeyId, at: number): readonly string[];
  /** When the program deleted it; null: it did not. */
  deletedByProgramAt(id: KeyId): number | null;
}

/** What an answer tells counts for a decision for so long. */
const freshMs = 20 * 60_000;

export function historyOf(stage: Stage, mails: readonly ReadMail[]): History {
  const { entries } = stage.chronicle;
  const keys = new Map<KeyId, WorldKey>(stage.world.everyKey().map((key) => [key.id, key]));
  const effects = new Map<number, number>();
  const names = namesOf(entries);
  const statesSince = [0];
  entries.forEach((entry) => {
    if (entry.kind === 'state lost') statesSince.push(entry.at);
    if (entry.kind !== 'changed') return;
    if (entry.n !== null) effects.set(entry.n, entry.at);
  });
  const of = (id: KeyId): readonly NameChange[] => names.get(id) ?? [];
  const nameAt = (id: KeyId, at: number): string => {
    const before = of(id).filter((one) => one.at <= at);
    return before.at(-1)?.to ?? of(id)[0]?.from ?? keys.get(id)?.name ?? '';
  };
  return {
    stage,
    books: booksOf(stage.db),
    mails,
    entries,
    asked: askedOf(stage, keys, effects),
    accepted: entries.flatMap((entry, index) => (entry.kind === 'accepted' ? [{ ...entry, index }] : [])),
    statesSince,
    key: (id) => keys.get(id) ?? null,
    names: of,
    nameAt,
    originalNamesAt: (id, at) => {
      const since = statesSince.findLast((one) => one <= at) ?? 0;
      const byPeople = of(id).filter((one) => one.by === 'person' && one.at <= at && one.at > since);
      const last = [byPeople.findLast(({ isNews }) => isNews), byPeople.findLast(({ isKept }) => isKept)];
      return [...new Set(last.map((one) => one?.to ?? nameAt(id, since)))];
    },
    deletedByProgramAt: (id) =>
      entries.find(
        (one) => one.kind === 'changed' && one.what === 'deleted' && one.key === id && one.n !== null,
      )?.at ?? null,
  };
}

/** What one life of the program could know by then. */
interface Knowledge {
  read: { readonly at: number; readonly file: FileShape; readonly before: FileShape | null } | null;
  known: readonly { readonly at: number; readonly asOf: number }[];
  listAsOf: number;
}

function askedOf(
  { files, chronicle: { entries } }: Stage,
  keys: ReadonlyMap<KeyId, WorldKey>,
  effects: ReadonlyMap<number, number>,
): Asked[] {
  const asked: Asked[] = [];
  const runs = new Map<number, Knowledge>();
  const of = (run: number): Knowledge => {
    const its = runs.get(run) ?? { read: null, known: [], listAsOf: -1 };
    runs.set(run, its);
    return its;
  };
  entries.forEach((entry, index) => {
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- the others tell nothing of this
    switch (entry.kind) {
      case 'file read': {
        const file = files[entry.version];
        const its = of(entry.run);
        if (entry.ok && file !== undefined) its.read = { at: entry.at, file, before: its.read?.file ?? null };
        return;
      }
      case 'answered': {
        if (entry.asOf === null) return;
        const its = of(entry.run);
        its.known = [...its.known, { at: entry.at, asOf: entry.asOf }];
        if (entry.path === '/api/keys') its.listAsOf = Math.max(its.listAsOf, entry.asOf);
        return;
      }
      case 'asked': {
        if (!isChange(entry)) return;
        const its = of(entry.run);
        its.known = its.known.filter(({ at }) => at >= entry.at - freshMs);
        const { read, known, listAsOf } = its;
        const before = read !== null && read.at === entry.at && read.before !== null ? [read.before] : [];
        asked.push({
          index,
          n: entry.n,
          run: entry.run,
          at: entry.at,
          kind: entry.method === 'DELETE' ? 'delete' : entry.to === null ? 'create' : 'rename',
          key: entry.key === null ? null : (keys.get(entry.key) ?? null),
          to: entry.to,
          intended: entry.intended,
          effectAt: effects.get(entry.n) ?? null,
          files: [...(read === null ? [] : [read.file]), ...before],
          listAsOf,
          knownAsOf: known.map(({ asOf }) => asOf),
        });
        return;
      }
      default:
        return;
    }
  });
  return asked;
}

export function isChange({ method, path }: Of<'asked'>): boolean {
  return method === 'DELETE' || (method === 'POST' && path.startsWith('/api/keys'));
}
