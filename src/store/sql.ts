import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** In order for `?`, or one object for `:name`. */
type Values = SQLInputValue[] | [Readonly<Record<string, SQLInputValue>>];

/** A connection with its statements prepared once, and transactions that are all or nothing. */
export interface Sql {
  all<Row>(text: string, ...values: Values): Row[];
  get<Row>(text: string, ...values: Values): Row | undefined;
  /** Rows as arrays, which cost far less to make and to read than objects: for very many of them. */
  rows<Row extends readonly unknown[]>(text: string, ...values: Values): Row[];
  /** Row by row, for what may not fit into memory. */
  each<Row>(text: string, ...values: Values): IterableIterator<Row>;
  /** Returns how many rows changed. */
  run(text: string, ...values: Values): number;
  /** Reads of one and the same state, whatever a writer does meanwhile. */
  snapshot<T>(work: () => T): T;
  transaction<T>(work: () => T): T;
}

export function sql(db: DatabaseSync): Sql {
  const statement = preparer(db, false);
  const arrays = preparer(db, true);
  // The driver types rows loosely and named values apart; the text beside each call says what they are.
  return {
    all: <Row>(text: string, ...values: Values) => statement(text).all(...plain(values)) as Row[],
    get: <Row>(text: string, ...values: Values) => statement(text).get(...plain(values)) as Row | undefined,
    rows: <Row extends readonly unknown[]>(text: string, ...values: Values) =>
      arrays(text).all(...plain(values)) as unknown as Row[],
    each: <Row>(text: string, ...values: Values) =>
      statement(text).iterate(...plain(values)) as IterableIterator<Row>,
    run: (text, ...values) => Number(statement(text).run(...plain(values)).changes),
    snapshot: (work) => within(db, 'BEGIN', work),
    // At once, lest a second writer slip in between its reads and its writes.
    transaction: (work) => within(db, 'BEGIN IMMEDIATE', work),
  };
}

function preparer(db: DatabaseSync, asArrays: boolean): (text: string) => StatementSync {
  const prepared = new Map<string, StatementSync>();
  return (text) => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const made = db.prepare(text);
    made.setReturnArrays(asArrays);
    prepared.set(text, made);
    return made;
  };
}

const plain = (values: Values): SQLInputValue[] => values as SQLInputValue[];

function within<T>(db: DatabaseSync, begin: string, work: () => T): T {
  db.exec(begin);
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has often rolled back by itself by now: a full disk, a failed write.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * A text fit to be compared in the database. Its texts are UTF-8, where all lone surrogates become one
 * character and two strangers' names could fall together; such a text is stored escaped.
 */
export function comparable(text: string): string {
  return text.isWellFormed() ? text : JSON.stringify(text);
}
