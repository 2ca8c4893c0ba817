/** Things to store. Without the test runner, so that a process of its own can use it. */
import type { CaseAlert } from '../../src/core/alert.ts';
import type { EpochMs, KeyId } from '../../src/core/key.ts';
import type { Change, Finding, KeyRecord, SampleRun } from '../../src/core/state.ts';
import type { OutboxItem } from '../../src/ports.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** 2026-11-23T10:00:00Z */
export const now: EpochMs = Date.UTC(2026, 10, 23, 10);

export const keyId = (n: number): KeyId => `k_${n.toString(16).padStart(16, '0')}`;

export function keyRecord(n: number, changes: Partial<KeyRecord> = {}): KeyRecord {
  const createdAt = now - 100 * dayMs;
  return {
    id: keyId(n),
    createdAt,
    firstSeenAt: now - dayMs,
    facts: {
      id: keyId(n),
      createdAt,
      name: `User ${n}`,
      metadata: Object.assign(Object.create(null), { plan: 'free' }) as Record<string, unknown>,
      expiresAt: null,
      maxTokens: null,
      chat: false,
      isAdmin: false,
      lastUsedAt: null,
    },
    originalName: `User ${n}`,
    nameChanged: false,
    standing: [],
    renamedByPersonAt: null,
    goneAt: null,
    check: null,
    conflict: null,
    ...changes,
  };
}

export function finding(id: string, changes: Partial<Finding> = {}): Finding {
  return {
    id,
    policy: 'free-tier-spend',
    subject: { kind: 'key', id: keyId(1), createdAt: now - 100 * dayMs },
    periodStart: now - dayMs,
    periodEnd: now + dayMs,
    openedAt: now - hourMs,
    closedAt: null,
    closedBecause: null,
    fired: [],
    uncertainSince: null,
    uncertainToldAt: null,
    deletions: [],
    renamed: [],
    idle: null,
    figures: { kind: 'expiry', deadline: now, why: 'expires_at' },
    failureToldAt: null,
    heardBy: ['ops'],
    ...changes,
  };
}

export function change(id: string, changes: Partial<Change> = {}): Change {
  return {
    id,
    kind: 'rename',
    keyId: keyId(1),
    keyCreatedAt: now - 100 * dayMs,
    policy: 'free-tier-spend',
    findingId: 'f1',
    step: 1,
    from: 'User 1',
    to: 'OVER BUDGET User 1',
    intentAt: now,
    settledAt: now,
    outcome: 'done',
    detail: null,
    ...changes,
  };
}

export function run(key: SampleRun['key'], firstAt: EpochMs, lastAt: EpochMs, cost: number): SampleRun {
  const counters = { costMicroUsd: cost, tokens: cost * 2, requests: cost * 3 };
  return { key, createdAt: key === 'account' ? 0 : now - 500 * dayMs, firstAt, lastAt, counters };
}

export function alert(id: string, findingId = 'f1'): CaseAlert {
  return {
    topic: 'case',
    id,
    at: now,
    findingId,
    policy: 'free-tier-spend',
    description: null,
    subject: { kind: 'key', id: keyId(1), name: 'User 1', originalName: 'User 1' },
    figures: { kind: 'expiry', deadline: now, why: 'expires_at' },
    event: { kind: 'resolved', because: 'the period ended' },
    next: [],
    timeZone: 'UTC',
    channels: ['ops'],
    variables: {
      name: 'User 1',
      metadata: Object.assign(Object.create(null), { plan: 'free' }) as Record<string, unknown>,
      policy: 'free-tier-spend',
      percent: '',
      limit: '',
      level: '',
      period: '',
      deadline: '',
      id: keyId(1),
    },
  };
}

export function item(id: string, changes: Partial<OutboxItem> = {}): OutboxItem {
  return {
    id,
    alert: alert(`alert of ${id}`),
    channel: 'ops',
    recipient: '',
    cc: '',
    remark: null,
    batch: 'pass 1',
    createdAt: now,
    notBefore: now,
    ...changes,
  };
}
