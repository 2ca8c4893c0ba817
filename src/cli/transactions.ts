import { formatUsd } from '../core/money.ts';
import type { Transaction } from '../ports.ts';
import type { Reading } from './by-hand.ts';
import { day, rfc3339, strange, writeJson, writeTable, type Column } from './output.ts';
import { during } from './progress.ts';

/** `keywarden transactions`: invoices and charges, newest first. */
export async function transactions(by: Reading): Promise<number> {
  const { reader, world } = by;
  const found = await during(world.stderr, 'Reading transactions…', () => reader.transactions(world.signal));
  const rows = found.toSorted((a, b) => b.at - a.at);
  if (by.output === 'json') writeJson(world.stdout, rows.map(transactionJson));
  else if (rows.length > 0) writeTable(world.stdout, columns, rows);
  else world.stderr.write('No transactions.\n');
  return 0;
}

const transactionJson = (one: Transaction) => ({
  id: one.id,
  date: rfc3339(one.at),
  type: one.type,
  description: one.description,
  amount: formatUsd(one.amountMicroUsd),
  status: one.status,
});

const columns: readonly Column<Transaction>[] = [
  { title: 'DATE', text: (one) => day(one.at) },
  { title: 'TYPE', text: (one) => strange(one.type), min: 8 },
  { title: 'DESCRIPTION', text: (one) => strange(one.description), min: 12 },
  { title: 'AMOUNT', text: (one) => `$${formatUsd(one.amountMicroUsd)}`.replace('$-', '-$'), align: 'right' },
  { title: 'STATUS', text: (one) => strange(one.status), min: 6, drop: 1 },
  { title: 'ID', text: (one) => strange(one.id), min: 8, drop: 2 },
];
