/** `keywarden explain KEY`: everything known about one key. Reads only. */
import { openApp } from '../app.ts';
import type { App } from '../app.ts';
import { explainKey } from '../core/explain.ts';
import type { KeyExplained, StepExplained } from '../core/explain.ts';
import type { Key } from '../core/key.ts';
import { formatUsd } from '../core/money.ts';
import type { KeyRecord } from '../core/state.ts';
import type { Deliberation } from '../deliberate.ts';
import type { Listing } from '../ports.ts';
import type { StoredRecordEntry } from '../store/store.ts';
import { findKey, theOnly } from './by-hand.ts';
import { count, day, minute, rfc3339, strange, writeJson, writeTable } from './output.ts';
import { requirePolicy } from './policy-file.ts';
import { during } from './progress.ts';
import { requireAdminKey } from './session.ts';
import type { Session } from './session.ts';
import type { Screen } from './world.ts';

const historyLength = 30;
/** The record is by finding; a key's own entries are picked out of so many. */
const historyDepth = 5000;

export async function explain(session: Session, text: string): Promise<number> {
  const { settings, world } = session;
  const adminKey = requireAdminKey(settings);
  const policy = await requirePolicy(session);
  await using app = await openApp({ settings, adminKey, policy, readOnly: true });
  const found = await during(world.stderr, 'Reading the account…', () =>
    app.consider(world.signal, (listing) => [
      {
        kind: 'key',
        id: keyOf(app, listing, text).id,
        window: null,
        why: 'it is the one to explain',
        excess: Infinity,
      },
    ]),
  );
  const key = keyOf(app, found.sight.listing, text);
  const record = found.court.records.get(key.id);
  if (record === undefined) return 1;
  const explained = explainKey(found.court, found.decision, record);
  const entries = await app.store.recorded({ limit: historyDepth });
  const history = entries.filter((entry) => concerns(entry, key)).slice(-historyLength);
  if (settings.output === 'json') writeJson(world.stdout, asJson(found, record, explained, history));
  else write(world.stdout, found, record, explained, history);
  return 0;
}

/** By its id, its name, or the name it had before Keywarden renamed it. */
function keyOf(app: App, listing: Listing, text: string): Key {
  const { keys } = listing;
  if (keys.some((key) => key.id === text || key.name === text)) return findKey(listing, text);
  const renamed = keys.filter(({ id, createdAt }) => {
    const record = app.memory.records.get(id);
    return record?.createdAt === createdAt && record.originalName === text;
  });
  return theOnly(renamed, text) ?? findKey(listing, text);
}

function concerns(entry: StoredRecordEntry, key: Key): boolean {
  const { keyId, findingId } = entry.facts;
  return keyId === key.id || (typeof findingId === 'string' && findingId.includes(`/${key.id}/`));
}

function asJson(
  found: Deliberation,
  record: KeyRecord,
  explained: KeyExplained,
  history: readonly StoredRecordEntry[],
): object {
  const known = found.court.bench.evidence.keys.get(record.id);
  const high = known?.lifetime.high ?? null;
  return {
    id: record.id,
    name: record.facts.name,
    original_name: record.originalName,
    created_at: rfc3339(record.createdAt),
    expires_at: record.facts.expiresAt === null ? null : rfc3339(record.facts.expiresAt),
    first_seen_at: rfc3339(record.firstSeenAt),
    lifetime:
      high === null
        ? null
        : { cost: formatUsd(high.costMicroUsd), tokens: high.tokens, requests: high.requests },
    unclear: known?.because ?? null,
    ...explained,
    history: history.map(({ seq, at, kind, facts }) => ({ seq, at: rfc3339(at), kind, facts })),
  };
}

function write(
  screen: Screen,
  { court }: Deliberation,
  record: KeyRecord,
  explained: KeyExplained,
  history: readonly StoredRecordEntry[],
): void {
  const line = (title: string, text: string): void => {
    screen.write(`${title.padEnd(12)}${text}\n`);
  };
  const known = court.bench.evidence.keys.get(record.id);
  const total = known?.lifetime.high ?? null;
  line('key', `${record.id}  ${strange(record.facts.name)}`);
  if (record.originalName !== record.facts.name) line('originally', strange(record.originalName));
  line('created', `${day(record.createdAt)}, first seen ${minute(record.firstSeenAt)}`);
  line('lifetime', total === null ? `not certain: ${known?.because ?? 'not read'}` : totals(total));
  if (explained.protected) line('protected', 'yes: never renamed, never deleted');
  if (explained.silenced !== null) line('silenced', strange(explained.silenced));
  for (const one of explained.policies) {
    screen.write(`\n${one.policy} (${one.mode}): ${strange(one.measured)}\n`);
    if (one.covered) writeTable(screen, stepColumns, one.steps);
    for (const held of one.held) screen.write(`  held: ${strange(held)}\n`);
  }
  screen.write(history.length === 0 ? '\nNo history yet.\n' : '\nHistory\n');
  for (const entry of history) screen.write(`  ${minute(entry.at)}  ${entry.kind}  ${detailOf(entry)}\n`);
}

function totals({
  costMicroUsd,
  tokens,
  requests,
}: {
  costMicroUsd: number;
  tokens: number;
  requests: number;
}): string {
  return `$${formatUsd(costMicroUsd)}, ${count(tokens)} tokens, ${count(requests)} requests`;
}

function detailOf({ facts }: StoredRecordEntry): string {
  const text = [facts.change, facts.to, facts.detail, facts.because, facts.figures, facts.name];
  return strange(text.filter((one) => typeof one === 'string').join('; '));
}

const stepColumns = [
  { title: '  step at', text: (step: StepExplained) => `  ${step.at}` },
  { title: 'does', text: (step: StepExplained) => step.does },
  { title: 'reached', text: (step: StepExplained) => step.reached },
  { title: 'announced', text: (step: StepExplained) => step.firedAt ?? '–' },
];
