import { alertsThen } from '../alerts-then.ts';
import { modeOf } from '../truth.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 1: in dry-run only reads leave the process and nobody is told anything; in alert no key is changed. */
export const modes: Witness = ({ asked, accepted, entries, stage: { files } }) => {
  const breaches: Breach[] = [];
  for (const one of asked) {
    const modesInForce = one.files.map((file) => modeOf(file, null));
    if (modesInForce.includes('enforce')) continue;
    breaches.push(
      breach(
        1,
        'change in a cautious mode',
        one.at,
        `${one.kind} of ${one.key?.id ?? '?'} in mode ${modesInForce.join()}`,
      ),
    );
  }
  for (const { run, sentAt, channel, at } of accepted) {
    const read = entries.findLast(
      (one) => one.kind === 'file read' && one.run === run && one.ok && one.at < sentAt,
    );
    const later = entries.some(
      (one) => one.kind === 'file read' && one.run === run && one.ok && one.at === sentAt,
    );
    if (read?.kind !== 'file read' || later) continue;
    if (files[read.version]?.mode === 'dry-run')
      breaches.push(breach(1, 'message in dry-run', at, `a message to ${channel}`));
  }
  return breaches;
};

/** 1: of a policy that is in dry-run by itself nobody is told what its cases come to, nor is any begun. */
export const ownDryRuns: Witness = (history) =>
  alertsThen(history).flatMap(({ alert, accepted, files }): Breach[] => {
    const isDry = files.every(({ policies }) =>
      policies.some(({ name, mode }) => name === alert.policy && mode === 'dry-run'),
    );
    return files.length > 0 && isDry && ['step', 'notice', 'uncertain'].includes(alert.event)
      ? [breach(1, 'told by a policy in dry-run', accepted.at, alert.id)]
      : [];
  });
