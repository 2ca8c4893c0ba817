import { expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { toWebhook } from '../../../src/alerts/compose/webhook.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { at, caseAlert, day, hostileNames, named, spend, systemAlert } from '../build.ts';

interface Body {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly headline: string;
    readonly alerts: readonly Record<string, unknown>[];
  };
}

function bodyOf(...alerts: readonly Alert[]): Body {
  const message = compose(
    alerts.map((alert) => ({ alert, remark: null })),
    { id: 'msg_1', now: at },
  );
  return JSON.parse(toWebhook(message)) as Body;
}

test('facts, with money as decimal text', () => {
  const notice = caseAlert({
    event: { kind: 'notice', step: 3, of: 3, noticeMs: day },
    next: [{ kind: 'delete', noticeMs: day, dueAt: at }],
  });
  const body = bodyOf(notice);
  expect(body).toMatchObject({ type: 'keywarden.alerts', timestamp: '2026-11-23T09:00:00.000Z' });
  expect(body.data.alerts[0]).toMatchInlineSnapshot(`
    {
      "at": "2026-11-23T09:00:00.000Z",
      "description": "Free users may spend 20 dollars a month.",
      "event": {
        "notice_seconds": 86400,
        "of": 3,
        "step": 3,
      },
      "figures": {
        "basis": "level",
        "kind": "spend",
        "level": {
          "high": "21.40",
          "low": "21.40",
        },
        "limit": "20.00",
        "measure": "cost",
        "percent": 107,
        "period": {
          "end": "2026-11-30T23:00:00.000Z",
          "name": "November 2026",
          "start": "2026-10-31T23:00:00.000Z",
        },
      },
      "finding": "free-tier-spend/k_0123456789abcdef/2026-11-01",
      "group": null,
      "headline": "“User 7” will be deleted in 24 hours",
      "id": "alert-1",
      "kind": "notice",
      "next": [
        {
          "due_at": "2026-11-24T09:00:00.000Z",
          "kind": "delete",
          "notice_seconds": 86400,
        },
      ],
      "policy": "free-tier-spend",
      "severity": "critical",
      "subject": {
        "id": "k_0123456789abcdef",
        "name": "User 7",
        "original_name": "User 7",
      },
      "topic": "case",
    }
  `);
});

test('every kind of figures and subject', () => {
  const deadline = { kind: 'idle', deadline: at, why: 'never used' } as const;
  const tokens = {
    ...spend,
    measure: 'tokens',
    level: { low: 5, high: null },
    limit: 10,
    periodStart: null,
    periodEnd: null,
  } as const;
  const [idle, group, system] = bodyOf(
    caseAlert({ figures: deadline, event: { kind: 'deleted', noticeAcceptedAt: at } }),
    caseAlert({
      figures: tokens,
      subject: { kind: 'group', group: 'metadata.team=ml' },
      next: [{ kind: 'rename', to: 'X' }],
    }),
    systemAlert(),
  ).data.alerts;
  expect(idle).toMatchObject({
    figures: { kind: 'idle', deadline: '2026-11-23T09:00:00.000Z' },
    event: { notice_accepted_at: '2026-11-23T09:00:00.000Z' },
  });
  expect(group).toMatchObject({
    subject: { group: 'metadata.team=ml' },
    figures: { level: { low: '5', high: null }, limit: '10' },
    next: [{ kind: 'rename', to: 'X' }],
  });
  expect(system).toMatchObject({
    topic: 'system',
    severity: 'critical',
    title: 'The policy file is invalid',
  });
});

test.each(Object.entries(hostileNames))('a hostile name stays what it is: %s', (_kind, name) => {
  expect(bodyOf(named(name)).data.alerts[0]).toMatchObject({ subject: { name } });
});

test('a name without end does not make a body without end', () => {
  const body = bodyOf(named('x'.repeat(100_000), { next: [{ kind: 'rename', to: 'y'.repeat(100_000) }] }));
  expect(JSON.stringify(body).length).toBeLessThan(20_000);
  expect(body.data.alerts[0]).toMatchObject({ subject: { name: `${'x'.repeat(3999)}…` } });
});
