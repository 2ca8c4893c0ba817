/** What is the same in every simulation: when it begins, what is secret, how the program is set. */
import { Secret } from '../../../src/core/secret.ts';
import type { Environment } from '../../../src/policy/load.ts';
import type { KeySpec } from '../../../src/sandbox/account-key.ts';
import type { Settings } from '../../../src/settings.ts';
import type { KeyPlan, Plan } from './plan.ts';
import { dayMs } from './units.ts';

export const epoch = Date.parse('2026-09-20T07:31:00Z');
export const adminKey = 'admin_ofTheSimulatedAccount0123456789';
const smtpPassword = 'passwordOfTheMailServer';

const variables: Readonly<Record<string, string>> = {
  SMTP_URL: `smtps://keywarden:${smtpPassword}@mail.example.com:465`,
  SLACK_OPS: 'https://hooks.slack.com/services/T000/B000/firstSecretOfSlack',
  SLACK_SECOND: 'https://hooks.slack.com/services/T000/B000/secondSecretOfSlack',
  PAGER_URL: 'https://pager.example.com/in?who=secretCallerOfThePager',
  PAGER_SECRET: 'whsec_c2VjcmV0T2ZUaGVQYWdlckluU2ltdWxhdGlvbg==',
};
export const environment: Environment = (name) => {
  const value = variables[name];
  return value === undefined ? { missing: `${name} is not set` } : { value };
};

export const channelSecrets = [
  smtpPassword,
  'firstSecretOfSlack',
  'secondSecretOfSlack',
  'secretCallerOfThePager',
  'c2VjcmV0T2ZUaGVQYWdlckluU2ltdWxhdGlvbg',
];

export function settingsOf(plan: Pick<Plan, 'intervalMs'>): Settings {
  return {
    policyPath: 'policies.yaml',
    apiUrl: new URL('http://account.test'),
    adminKey: new Secret(adminKey),
    state: 'keywarden.db',
    intervalMs: plan.intervalMs,
    minIntervalMs: 5000,
    maxCallsPerMinute: 60,
    usageLagMs: 120_000,
    listen: null,
    token: null,
    dryRun: false,
    logLevel: 'info',
    logFormat: 'json',
    output: 'json',
    clock: null,
  };
}

export function specOf(key: KeyPlan, early: boolean): KeySpec {
  const at = (days: number): number => epoch + Math.round(days * dayMs);
  return {
    name: key.name,
    metadata: key.metadata,
    ...(early ? { createdAt: at(-key.ageDays) } : {}),
    ...(key.expiresInDays === undefined ? {} : { expiresAt: at(key.expiresInDays) }),
    ...(key.maxTokens === undefined ? {} : { maxTokens: key.maxTokens }),
    isAdmin: key.isAdmin ?? false,
    ...(key.usdPerDay === 0
      ? {}
      : {
          traffic: {
            usdPerDay: key.usdPerDay,
            momentsPerDay: key.momentsPerDay,
            hours: 'flat',
            weekend: 1,
            models: [[key.model, 1]],
            ...(key.idleFromDay === undefined
              ? {}
              : { pauses: [{ from: at(key.idleFromDay), to: Infinity }] }),
          },
        }),
  };
}
