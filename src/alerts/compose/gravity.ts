/** Which alerts matter most, and how many of each there are. */
import type { Alert, CaseAlert, SystemAlert } from '../../core/alert.ts';

/** Gravest first; then the largest share of its limit; then by id, so that the order is stable. */
export function byGravity(alerts: readonly Alert[]): Alert[] {
  return alerts.toSorted(
    (a, b) => gravity(b) - gravity(a) || extent(b) - extent(a) || (a.id < b.id ? -1 : Number(a.id > b.id)),
  );
}

export type Severity = SystemAlert['severity'];

/** How bad it is: a deletion is critical, what a policy does short of it a warning, good news is info. */
export function severity(alert: Alert): Severity {
  if (alert.topic === 'system') return alert.severity;
  switch (alert.event.kind) {
    case 'notice':
    case 'deleted':
      return 'critical';
    case 'failed':
      return alert.event.change === 'delete' ? 'critical' : 'warning';
    case 'step':
    case 'held':
    case 'uncertain':
      return 'warning';
    case 'vetoed':
    case 'cancelled':
    case 'resolved':
      return 'info';
    default:
      return alert.event satisfies never;
  }
}

/** That of the gravest; of none a warning, for something is being said. */
export function worstSeverity(alerts: readonly Alert[]): Severity {
  const all = new Set(alerts.map(severity));
  return (['critical', 'warning', 'info'] as const).find((one) => all.has(one)) ?? 'warning';
}

/** What a colour stands for: how bad it is, or that it is over. */
export type Tone = Severity | 'resolved';

export function toneOf(alerts: readonly Alert[]): Tone {
  const over =
    alerts.length > 0 && alerts.every((one) => one.topic === 'case' && one.event.kind === 'resolved');
  return over ? 'resolved' : worstSeverity(alerts);
}

function gravity(alert: Alert): number {
  if (alert.topic === 'system') return { critical: 9, warning: 4, info: 0 }[alert.severity];
  switch (alert.event.kind) {
    case 'notice':
      return 8;
    case 'deleted':
      return 7;
    case 'failed':
      return alert.event.change === 'delete' ? 6 : 5;
    case 'held':
      return 5;
    case 'step':
      return alert.next.some((next) => next.kind === 'rename') ? 5 : 3;
    case 'uncertain':
    case 'vetoed':
    case 'cancelled':
      return 2;
    case 'resolved':
      return 1;
    default:
      return alert.event satisfies never;
  }
}

/** Percent of the limit; for deadlines hours past it, which compare among themselves. */
function extent(alert: Alert): number {
  if (alert.topic === 'system') return 0;
  const { figures } = alert;
  return figures.kind === 'spend' ? figures.percent : (alert.at - figures.deadline) / 3_600_000;
}

const kinds: readonly (readonly [CaseAlert['event']['kind'], string])[] = [
  ['notice', 'to be deleted'],
  ['deleted', 'deleted'],
  ['failed', 'failed'],
  ['step', 'at a step'],
  ['held', 'held by a limit'],
  ['uncertain', 'not to be judged'],
  ['vetoed', 'stopped by a person'],
  ['cancelled', 'no longer to be deleted'],
  ['resolved', 'resolved'],
];

/** Kinds that a headline counts one by one. */
const countedKinds = 4;

/** "46 alerts: 3 to be deleted, 1 deleted, 40 at a step, 2 about Keywarden itself" */
export function countWords(alerts: readonly Alert[]): string {
  const counts = kinds.map(([kind, words]) => {
    const count = alerts.filter((alert) => alert.topic === 'case' && alert.event.kind === kind).length;
    return { count, words };
  });
  const system = alerts.filter((alert) => alert.topic === 'system').length;
  const all = [...counts, { count: system, words: 'about Keywarden itself' }].filter(
    ({ count }) => count > 0,
  );
  const named = all.slice(0, countedKinds);
  const others = all.slice(countedKinds).reduce((sum, { count }) => sum + count, 0);
  const told = others === 0 ? named : [...named, { count: others, words: 'more' }];
  const list = told.map(({ count, words }) => `${count.toLocaleString('en-US')} ${words}`).join(', ');
  return `${alerts.length.toLocaleString('en-US')} alerts: ${list}`;
}
