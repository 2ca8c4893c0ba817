/**
 * Usage by name, in the order of the answer that told it. Of one answer to the next hardly a name is new,
 * so they share their names: who knows a name's place in the one has it in the other.
 */
export interface Names {
  readonly list: readonly string[];
  /** Where each of them is in the list. */
  readonly places: ReadonlyMap<string, number>;
}

export interface Rows<T> {
  readonly names: Names;
  /** Beside the names. */
  readonly list: readonly T[];
  readonly size: number;
  get(name: string): T | undefined;
}

/** A name that comes twice stands for its last place. */
export function namesOf(list: readonly string[]): Names {
  return { list, places: new Map(list.map((name, place) => [name, place])) };
}

export function rowsOf<T>(names: Names, list: readonly T[]): Rows<T> {
  return { names, list, size: list.length, get: (name) => list[names.places.get(name) ?? -1] };
}

export function entriesOf<T>({ names, list }: Rows<T>): (readonly [name: string, row: T])[] {
  return list.map((row, place) => [names.list[place] ?? '', row]);
}

export function rowsByName<T>(rows: Iterable<readonly [name: string, row: T]>): Rows<T> {
  const list = [...rows];
  return rowsOf(
    namesOf(list.map(([name]) => name)),
    list.map(([, row]) => row),
  );
}
