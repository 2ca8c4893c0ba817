import type { AlertFact } from '../chronicle.ts';
import type { History } from '../history.ts';
import type { FileShape } from '../policies.ts';
import { epoch } from '../setting.ts';
import { hourMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 11: at the end every alert was accepted by each of its channels, or is shown as undelivered. */
export const arrival: Witness = (history) => {
  const { accepted, stage, entries, books } = history;
  const end = stage.endedAt;
  const breaches: Breach[] = [];
  // Nothing is delivered while nobody runs it.
  const turn = entries.findLast(({ kind }) => kind === 'ended' || kind === 'started');
  const running = turn?.kind === 'started' && turn.at <= end - 26 * hourMs;
  const took = new Set(accepted.flatMap(({ channel, alerts }) => alerts.map(({ id }) => `${channel} ${id}`)));
  for (const row of books.outbox) {
    if (row.state === 'delivered' && !took.has(`${row.channel} ${row.alert}`) && !wasOvertaken(history, row))
      breaches.push(breach(11, 'held for delivered', end, `${row.alert} by ${row.channel}`));
    // An idle look into the outbox comes with whatever happens next: at the latest with the next pass.
    const due = row.notBefore - stage.world.start + stage.plan.intervalMs;
    const overdue = running && row.state === 'pending' && due < end - 26 * hourMs;
    if (overdue && !wasDry(history, end - 26 * hourMs) && end - stage.lastTroubleAt > 26 * hourMs)
      breaches.push(breach(11, 'never delivered', end, `${row.alert} by ${row.channel}`));
  }
  return breaches;
};

const overtaking = ['resolved', 'cancelled', 'vetoed', 'deleted'];

/** The same channel took what the alert has come to: a message in plain text has that alone. */
function wasOvertaken(
  { accepted }: History,
  { channel, alert }: { readonly channel: string; readonly alert: string },
): boolean {
  return accepted.some(
    (one) =>
      one.channel === channel &&
      one.alerts.some(
        ({ finding, event }) =>
          finding !== null && overtaking.includes(event) && alert.startsWith(`${finding}/`),
      ),
  );
}

/** A dry run was in force since then: what waits may be as old as it. */
function wasDry({ entries, stage }: History, since: number): boolean {
  const reads = entries.flatMap((one) => (one.kind === 'file read' && one.ok ? [one] : []));
  return reads.some(
    ({ version }, place) =>
      stage.files[version]?.mode === 'dry-run' && (reads[place + 1]?.at ?? Infinity) > since,
  );
}

/** Such an alert waits in the outbox for the end of quiet hours that are not over. */
function waitsForMorning({ books, stage }: History, isSuch: (alert: string) => boolean): boolean {
  return books.outbox.some(
    ({ alert, state, notBefore }) =>
      state === 'pending' && notBefore > epoch + stage.endedAt && isSuch(alert),
  );
}

/** 11: a deletion is told. */
export const told: Witness = (history) => {
  const { asked, accepted, stage, statesSince, books } = history;
  const dead = new Set(books.outbox.filter(({ state }) => state === 'dead').map(({ alert }) => alert));
  return asked.flatMap((one): Breach[] => {
    if (one.kind !== 'delete' || one.effectAt === null || one.key === null) return [];
    const { id } = one.key;
    const lost = statesSince.some((at) => at > one.at);
    // Where the answer was lost, the next pass finds out what came of it.
    const until = one.at + 12 * hourMs + 2 * stage.plan.intervalMs;
    if (stage.endedAt < until || lost) return [];
    const toldOf = accepted.some(({ alerts }) =>
      alerts.some(({ event, key }) => event === 'deleted' && key === id),
    );
    const undelivered = [...dead].some((alert) => alert.includes(id));
    const waits = waitsForMorning(history, (alert) => alert.includes(`/deleted/${id}`));
    const quiet =
      stage.files.some(({ mode }) => mode === 'dry-run') ||
      stage.files.some(({ silences }) => silences.length > 0);
    return toldOf || undelivered || waits || quiet
      ? []
      : [breach(11, 'a deletion that nobody was told of', one.at, id)];
  });
};

/** 11 and 12: what is sent again is the same message; a step is announced once. */
export const noise: Witness = ({ accepted, entries, statesSince, stage }) => {
  const breaches: Breach[] = [];
  const messages = new Map<string, string>();
  const steps = new Map<string, { readonly id: string; readonly at: number }>();
  accepted.forEach((one, place) => {
    for (const alert of one.alerts) {
      const to = `${one.channel} ${one.recipient}`;
      const before = messages.get(`${to} ${alert.id}`);
      if (before !== undefined && before !== one.message)
        breaches.push(breach(11, 'repeated under another id', one.at, `${alert.id} by ${one.channel}`));
      messages.set(`${to} ${alert.id}`, one.message);
      const earlier = accepted
        .slice(0, place)
        .findLast(
          (other) =>
            `${other.channel} ${other.recipient}` === to && other.alerts.some(({ id }) => id === alert.id),
        );
      if (earlier !== undefined && earlier.heard && !isExplained(entries, earlier, one.at))
        breaches.push(
          breach(
            12,
            'the same alert twice',
            one.at,
            `${alert.id} by ${one.channel}, first at ${String(earlier.at)}`,
          ),
        );
      if (alert.event !== 'step' || alert.repeated || alert.finding === null) continue;
      if (hadOthers(stage.files, alert)) continue;
      const name = `${to} ${alert.finding} ${String(alert.step)}`;
      const first = steps.get(name);
      if (
        first !== undefined &&
        first.id !== alert.id &&
        !statesSince.some((at) => at > first.at && at <= one.at)
      )
        breaches.push(breach(12, 'a step announced twice', one.at, `${name}: ${first.id}, ${alert.id}`));
      if (first === undefined) steps.set(name, { id: alert.id, at: one.at });
    }
  });
  return breaches;
};

/** In that place of that policy stood several steps in the course of time: each is announced. */
function hadOthers(files: readonly FileShape[], { policy, step }: AlertFact): boolean {
  const texts = files.flatMap(({ policies }) =>
    policies
      .filter(({ name }) => name === policy)
      .map(({ rule, steps }) => JSON.stringify([rule, steps[(step ?? 1) - 1]])),
  );
  return new Set(texts).size > 1;
}

/** The program died, or was told to stop, or could not write it down after the receiver had taken it. */
function isExplained(
  entries: History['entries'],
  { at, run, message }: { readonly at: number; readonly run: number; readonly message: string },
  until: number,
): boolean {
  return entries.some(
    (one) =>
      one.at >= at &&
      one.at <= until &&
      ((one.kind === 'ended' && one.run === run && one.at <= at + 60_000) ||
        // Accepted, and not answered in time.
        (one.kind === 'not accepted' && one.message === message && one.at <= at + 1000) ||
        (one.kind === 'disk failed' && one.at <= at + 60_000) ||
        one.kind === 'state lost'),
  );
}

/** 14: that a file is invalid is told. */
export const badEdits: Witness = (history) => {
  const { entries, accepted, stage } = history;
  if (
    stage.plan.acts.some(
      ({ kind }) =>
        !['rename', 'create', 'delete', 'spend', 'file', 'crash', 'clock', 'ambush'].includes(kind),
    )
  )
    return [];
  return entries.flatMap((entry, index): Breach[] => {
    if (entry.kind !== 'file read' || entry.ok) return [];
    const later = entries.slice(index + 1);
    const until =
      later.find((one) => one.kind === 'file read' || one.kind === 'ended' || one.kind === 'clock set')?.at ??
      stage.endedAt;
    const last = entries
      .slice(0, index)
      .findLast((one) => one.kind === 'file read' && one.ok && one.run === entry.run);
    const mode = last?.kind === 'file read' ? stage.files[last.version]?.mode : 'dry-run';
    if (mode === 'dry-run' || until - entry.at < hourMs) return [];
    const toldOf =
      accepted.some(
        (one) => one.at >= entry.at && one.alerts.some(({ title }) => title === 'The policy file is invalid'),
      ) ||
      accepted.some(
        (one) => one.at < entry.at && one.alerts.some(({ title }) => title === 'The policy file is invalid'),
      );
    const waits = waitsForMorning(history, (alert) => alert.startsWith('system/policy-file/'));
    return toldOf || waits
      ? []
      : [breach(14, 'nobody was told of an invalid file', entry.at, `version ${String(entry.version)}`)];
  });
};

/** 12: a step that repeats does so no more often than the file says. */
export const repeats: Witness = ({ accepted, stage, statesSince }) => {
  const shortest = Math.min(
    ...stage.files.flatMap(({ policies }) =>
      policies.flatMap(({ steps }) => steps.flatMap(({ repeatMs }) => repeatMs ?? [])),
    ),
  );
  // As they were decided: some may have waited for the morning together.
  const times = new Map<string, Map<string, number>>();
  for (const { channel, recipient, alerts } of accepted)
    for (const { repeated, finding, step, id, at } of alerts)
      if (repeated) {
        const name = `${channel} ${recipient} ${finding ?? ''} ${String(step)}`;
        times.set(name, (times.get(name) ?? new Map<string, number>()).set(id, at));
      }
  return [...times].flatMap(([name, seen]): Breach[] => {
    const [first, last] = [Math.min(...seen.values()), Math.max(...seen.values())];
    const most = (last - first) / shortest + 2 * statesSince.length;
    return seen.size > most + 1
      ? [
          breach(
            12,
            'repeated too often',
            last,
            `${name}: ${String(seen.size)} times within ${String(last - first)} ms`,
          ),
        ]
      : [];
  });
};

/** 14: once a valid file follows an invalid one, whoever heard of that hears that it is over. */
export const mendedEdits: Witness = ({ entries, accepted, stage }) => {
  if (stage.plan.acts.some(({ kind }) => !['rename', 'create', 'delete', 'spend', 'file'].includes(kind)))
    return [];
  if (stage.files.some(({ mode, quiet }) => mode === 'dry-run' || Object.keys(quiet).length > 0)) return [];
  const invalid = 'The policy file is invalid';
  const titles = accepted.flatMap(({ alerts }) => alerts.map(({ title }) => title));
  const last = entries.findLast((one) => one.kind === 'file read');
  const isMended = last?.kind === 'file read' && last.ok && stage.endedAt - last.at > hourMs;
  return isMended && titles.includes(invalid) && !titles.includes(`Over: ${invalid}`)
    ? [breach(14, 'an invalid file is never over', last.at, `version ${String(last.version)}`)]
    : [];
};
