import type { DatabaseSync } from 'node:sqlite';
import { sql } from '../../../../src/store/sql.ts';
import { verifyChain } from '../../../../src/store/record.ts';
import { adminKey, channelSecrets } from '../setting.ts';
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
      (body) => /change-(done|not-done|unclear|failed)/.test(body) && body.includes(id),
    );
    if (!intent || (!done && stage.endedAt - Math.max(one.at, calmSince) > 24 * 3_600_000))
      breaches.push(breach(18, 'not on record', one.at, `${one.kind} of ${id}`));
  }
  return breaches;
};

/** 17: no secret is in anything that was written or sent. */
export const secrets: Witness = ({ stage }) => {
  const keys = stage.world.everyKey().map(({ secret }) => secret);
  const all = [adminKey, ...channelSecrets, ...keys];
  const where: (readonly [string, string])[] = [
    ['the log', stage.log.join('')],
    ['a message', stage.sent.map(({ text }) => text).join('\n')],
    ['the state', dump(stage.db)],
  ];
  return where.flatMap(([place, text]) =>
    all
      .filter((secret) => text.includes(secret))
      .map((secret) => breach(17, `a secret in ${place}`, stage.endedAt, secret.slice(0, 8))),
  );
};

function dump(db: DatabaseSync): string {
  // Of these, no column holds text but the keys' fingerprints.
  const numbers = `'samples', 'recent', 'sample_keys', 'ledger'`;
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (${numbers})`)
    .all();
  return tables
    .map(({ name }) => JSON.stringify(db.prepare(`SELECT * FROM "${String(name)}"`).all()))
    .join('\n');
}

/** 19: strangers' text is text: no mention or link in Slack, no second line in a mail's header, no control code in the log. */
export const hostileText: Witness = ({ stage }) => {
  const breaches: Breach[] = [];
  for (const { channel, text } of stage.sent) {
    if (channel !== 'ops' && channel !== 'second') continue;
    if (/<(!|@|#|https?:\/\/evil)/.test(text))
      breaches.push(breach(19, 'a mention in Slack', stage.endedAt, text.slice(0, 200)));
  }
  for (const line of stage.log)
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(line))
      breaches.push(
        breach(19, 'a control code in the log', stage.endedAt, JSON.stringify(line.slice(0, 200))),
      );
  return breaches;
};
