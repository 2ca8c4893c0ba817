import { sql } from '../../../../src/store/sql.ts';
import { verifyChain } from '../../../../src/store/record.ts';
import { dayMs } from '../units.ts';
import { breach } from './witness.ts';
import type { Breach, Witness } from './witness.ts';

/** 18: the record's chain holds, and every change of a key by the program is in it. */
export const record: Witness = ({ stage, asked, statesSince }) => {
  const check = verifyChain(sql(stage.db));
  const breaches: Breach[] = check.ok
    ? []
    : [breach(18, 'the chain is broken', stage.endedAt, check.because)];
  const bodies = stage.db
    .prepare('SELECT body FROM record')
    .all()
    .map(({ body }) => String(body));
  // While the clock is wrong nothing is found out; that is put right at last.
  const isClockSet = stage.plan.acts.some(({ kind }) => kind === 'clock');
  const calmSince = Math.max(stage.lastTroubleAt, isClockSet ? stage.plan.days * dayMs : 0);
  for (const one of asked) {
    if (one.effectAt === null || one.key === null || statesSince.some((at) => at > one.at)) continue;
    const { id } = one.key;
    const intent = bodies.some((body) => body.includes('change-intent') && body.includes(id));
    const done = bodies.some(
      (body) => /change-(done|not-done|unclear|failed|overtaken)/.test(body) && body.includes(id),
    );
    if (!intent || (!done && stage.endedAt - Math.max(one.at, calmSince) > 24 * 3_600_000))
      breaches.push(breach(18, 'not on record', one.at, `${one.kind} of ${id}`));
  }
  return breaches;
};

/** 17 and 18: what the looks on the way found, at the chain and for secrets in what was written or sent. */
export const seen: Witness = ({ stage }) => stage.seen;
