/** The decision alone, beside a general rules engine on the same keys and rules. */
import { openApp } from '../src/app.ts';
import type { Court } from '../src/core/court.ts';
import { Secret } from '../src/core/secret.ts';
import { decide } from '../src/core/decide.ts';
import { judge } from '../src/core/judge.ts';
import { environmentOf } from '../src/policy/environment.ts';
import { loadPolicy } from '../src/policy/load.ts';
import type { Settings } from '../src/settings.ts';
import type { Account } from './account.ts';
import { median, startAccount } from './account.ts';
import { policyText } from './policies.ts';
import { rivalEngine, rivalFacts } from './rival.ts';

export interface DecisionFigures {
  readonly keys: number;
  readonly policies: number;
  /** Medians, in milliseconds: which steps are reached, of every key anew, which is what the rival tells. */
  readonly judgingMs: number;
  /** The whole decision: cases, alerts, changes and what is held besides. */
  readonly decisionMs: number;
  /** Passing over the keys about which nothing is new since the decision before. */
  readonly againMs: number;
  readonly rivalMs: number;
  /** Steps reached, by either: they must agree where both can judge. */
  readonly reached: number;
  readonly rivalReached: number;
}

export async function measureDecision(
  account: Account,
  runs: number,
  rivalRuns: number,
): Promise<DecisionFigures> {
  const loaded = loadPolicy(policyText('alert'), 'bench', environmentOf(account.env), Date.now());
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const { policy } = loaded;
  await using app = await openApp({
    settings: settingsOf(account),
    adminKey: new Secret(account.env['TINFOIL_ADMIN_KEY'] ?? ''),
    policy,
  });
  // After the first pass, which may here read as many keys as it likes, comes the steady state: rows
  // are cross-checked, what was reached is told.
  await app.pass([], AbortSignal.timeout(600_000));
  const { court } = await app.consider(AbortSignal.timeout(600_000));

  const anew = (work: () => unknown): number[] =>
    Array.from({ length: runs }, () => {
      forgetVerdicts(court);
      return timed(work);
    });
  const judging = anew(() => judge(policy.policies, court.bench));
  const times = anew(() => decide(court));
  const again = Array.from({ length: runs }, () => timed(() => decide(court)));
  const engine = rivalEngine(court);
  const facts = court.bench.live.map((record) => rivalFacts(court, record));
  const rivalTimes: number[] = [];
  let rivalReached = 0;
  for (let run = 0; run < rivalRuns; run += 1) {
    rivalReached = 0;
    const started = performance.now();
    for (const one of facts) rivalReached += (await engine.run(one)).events.length;
    rivalTimes.push(performance.now() - started);
  }
  return {
    keys: court.accountKeys,
    policies: policy.policies.length,
    judgingMs: median(judging),
    decisionMs: median(times),
    againMs: median(again),
    rivalMs: median(rivalTimes),
    reached: judge(policy.policies, court.bench).judgements.reduce((sum, one) => sum + one.sure.length, 0),
    rivalReached,
  };
}

/** What a decision noted about keys that it had nothing to say of, so that the next is no quicker. */
function forgetVerdicts(court: Court): void {
  for (const known of court.bench.known) if (known !== undefined) known.quiet.of = null;
}

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function settingsOf(account: Account): Settings {
  return {
    policyPath: '',
    apiUrl: new URL(account.env['TINFOIL_API_URL'] ?? ''),
    adminKey: null,
    state: ':memory:',
    intervalMs: 60_000,
    minIntervalMs: 5000,
    maxCallsPerMinute: 100_000,
    usageLagMs: 120_000,
    listen: null,
    token: null,
    dryRun: false,
    logLevel: 'silent',
    logFormat: 'json',
    output: 'json',
    clock: null,
  };
}

export async function printDecision(print: (text: string) => void, account: Account): Promise<void> {
  const figures = await measureDecision(account, 30, 3);
  const { judgingMs, decisionMs, againMs, rivalMs, reached, rivalReached, keys, policies } = figures;
  const times = (ms: number): string => `${ms.toFixed(1)} ms, ${(rivalMs / ms).toFixed(0)} times as fast`;
  print(`The decision alone: ${keys.toLocaleString('en')} keys, ${String(policies)} policies`);
  print(`  json-rules-engine, which steps are reached  ${rivalMs.toFixed(0)} ms`);
  print(`  the same, of every key anew  ${times(judgingMs)}`);
  print(`  with cases, alerts, changes and what is held  ${times(decisionMs)}`);
  print(`  and again, when nothing has changed  ${times(againMs)}`);
  const differs = reached === rivalReached ? '' : '  THESE DIFFER';
  print(`  steps reached  ${String(reached)}, by json-rules-engine ${String(rivalReached)}${differs}`);
}

if (import.meta.main) {
  await using account = await startAccount(10_000);
  await printDecision((text) => void process.stdout.write(`${text}\n`), account);
}
