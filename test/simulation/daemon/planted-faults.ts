/** Faults to plant in the program's own text: what the simulation is to find. */

export interface Edit {
  /** Under `src/`. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

export interface Planted {
  readonly name: string;
  readonly edits: readonly Edit[];
}

const one = (name: string, file: string, find: string, put: string): Planted => ({
  name,
  edits: [{ file, find, put }],
});

export const plantedFaults: readonly Planted[] = [
  one(
    'the fresh check is skipped',
    'pass/recheck.ts',
    'if (!still) return { ok: false, because: whyNot(found.decision, change) };',
    '',
  ),
  one(
    'a notice counts from its sending',
    'core/deletions.ts',
    'Math.max(acceptedAt, pending.announcedAt) +',
    'pending.announcedAt +',
  ),
  one(
    'a notice need not be accepted',
    'core/deletions.ts',
    'firstAccepted(court.acceptances, pending.noticeAlertId, channels);',
    '(firstAccepted(court.acceptances, pending.noticeAlertId, channels) ?? pending.announcedAt) as number | null;',
  ),
  one(
    'a notice accepted by any channel counts',
    'core/deletions.ts',
    'const channels = noticeChannels(policy, pending, step);',
    'const channels = [...court.policy.channels.keys()];',
  ),
  one(
    'a notice is half as long',
    'core/deletions.ts',
    'Math.max(pending.noticeMs, noticeMs);',
    'Math.max(pending.noticeMs, noticeMs) / 2;',
  ),
  one(
    'limits are kept in memory only',
    'memory.ts',
    'changes: new Map(state.changes.map((change) => [change.id, change])),',
    'changes: new Map(state.changes.filter((change) => change.settledAt === null).map((change) => [change.id, change])),',
  ),
  one(
    'a day of limits begins at midnight',
    'core/limits.ts',
    'effectiveBy(change) > now - dayMs',
    'effectiveBy(change) > Math.floor(now / dayMs) * dayMs',
  ),
  one(
    'a limit lets one more through',
    'core/limits.ts',
    'mine.length <= Math.max(0, allowed.count)',
    'mine.length <= Math.max(0, allowed.count) + 1',
  ),
  {
    name: 'the intent is written after the request',
    edits: [
      {
        file: 'act/carry-out.ts',
        find: "  await ports.commit(\n    { changes: [intent], record: [entry(ports, 'change-intent', planned, planned.reason)] },\n    [],\n  );\n",
        put: '',
      },
      {
        file: 'act/carry-out.ts',
        find: "  if (result === 'unclear') {",
        put: "  await ports.commit({ changes: [intent], record: [entry(ports, 'change-intent', planned, planned.reason)] }, []);\n  if (result === 'unclear') {",
      },
    ],
  },
  {
    name: 'a key is found by its name',
    edits: [
      {
        file: 'pass/recheck.ts',
        find: 'const key = keys.find((one) => one.id === change.keyId && one.createdAt === change.keyCreatedAt);',
        put: 'const key = keys.find((one) => one.name === change.from);',
      },
      { file: 'act/carry-out.ts', find: 'secrets.get(planned.keyId)', put: 'secrets.get(key.id)' },
    ],
  },
  one(
    'protection is not looked at',
    'core/court.ts',
    'if (isProtected(court, record)) return',
    'if (record.facts.isAdmin) return',
  ),
  one('silences are not looked at', 'core/court.ts', 'if (silence !== null) return', 'if (false) return'),
  one(
    'alert is taken for enforce',
    'core/court.ts',
    "if (mode !== 'enforce') return",
    "if (mode === 'dry-run') return",
  ),
  one('a dry run sends what was queued', 'app.ts', 'isDry: dry,', 'isDry: () => false,'),
  one(
    'a person’s rename is no veto',
    'core/deletions.ts',
    'return facts.name !== expectedName || (namedAt !== undefined && namedAt !== renamedByPersonAt);',
    "return facts.name === '' && expectedName === '' && namedAt === renamedByPersonAt;",
  ),
  {
    name: 'a restore overwrites a person’s name',
    edits: [
      { file: 'core/hand.ts', find: '    standing: [],', put: '    standing: record.standing,' },
      {
        file: 'core/restores.ts',
        find: 'rename.restore && record.facts.name === rename.to &&',
        put: 'rename.restore &&',
      },
    ],
  },
  one(
    'a clock that was set is believed',
    'ledger/clock.ts',
    'if (off !== null) return { trusted: false, because: off };',
    '',
  ),
  one(
    'a message has another id each time',
    'alerts/parcel.ts',
    '.update(JSON.stringify(ids))',
    '.update(JSON.stringify([ids, entries[0]?.attempts]))',
  ),
  one(
    'the last of several channels is left out',
    'pass/commit.ts',
    'outbox: routed.items,',
    'outbox: routed.items.filter(({ alert, channel }) => alert.channels.length === 1 || channel !== alert.channels.at(-1)),',
  ),
  one(
    'a message that was not accepted counts as delivered',
    'alerts/bookkeeping.ts',
    'if (outcome.ok) return settleDelivered(parcel, kind, outcome, now);',
    'if (outcome.ok || outcome.retryable) return settleDelivered(parcel, kind, { ok: true }, now);',
  ),
  one(
    'a secret is in an error',
    'alerts/deliver.ts',
    'return !outcome.ok && signal.aborted ? null : outcome;',
    "if (!outcome.ok && signal.aborted) return null; return outcome.ok ? outcome : { ...outcome, error: `${outcome.error} ${[...options.channels().channels.values()].map((one) => one.kind === 'slack' ? one.webhookUrl.reveal() : '').join()}` };",
  ),
  one(
    'a secret is in an error, encoded',
    'alerts/deliver.ts',
    'return !outcome.ok && signal.aborted ? null : outcome;',
    "if (!outcome.ok && signal.aborted) return null; return outcome.ok ? outcome : { ...outcome, error: `${outcome.error} ${[...options.channels().channels.values()].map((one) => one.kind === 'slack' ? Buffer.from(one.webhookUrl.reveal()).toString('base64') : '').join()}` };",
  ),
  one(
    'a secret is in the state for a while',
    'pass/commit.ts',
    'outbox: routed.items,',
    "outbox: routed.items, ...(documents.findings === undefined ? {} : { meta: { ...documents.meta, last: routed.items.length > 0 ? [...policy.channels.values()].map((one) => one.kind === 'slack' ? one.webhookUrl.reveal() : '').join() : '' } }),",
  ),
  one(
    'an entry of the record is chained to none',
    'store/record.ts',
    'const hash = chain(previous.hash, body);',
    'const hash = chain(origin.hash, body);',
  ),
  one(
    'a change is not on record',
    'act/carry-out.ts',
    "record: [entry(ports, 'change-intent', planned, planned.reason)]",
    'record: []',
  ),
  one(
    'held changes are not on record',
    'record.ts',
    '.filter((held) => !heldBefore.has(heldKey(held)))',
    '.filter(() => false)',
  ),
  one('why a change is held now is not on record', 'record.ts', ' ${held.because}`;', '`;'),
  one(
    'a cancelled change is not on record',
    'act/carry-out.ts',
    "await ports.commit({ record: [entry(ports, 'change-cancelled', planned, fresh.because)] }, []);",
    '',
  ),
  one(
    'strangers’ text is Slack’s markup',
    'alerts/compose/slack-text.ts',
    'export function escapeSlack(text: string): string {',
    'export function escapeSlack(text: string): string {\n  if (text !== "") return text;',
  ),
  one(
    'strangers’ text is HTML',
    'alerts/compose/email.ts',
    'function escapeHtml(text: string): string {',
    'function escapeHtml(text: string): string {\n  if (text !== "") return text;',
  ),
  one(
    'an address may be a list',
    'alerts/addresses.ts',
    'export function parseAddress(text: string, options: { allowLocal: boolean }): string | null {',
    'export function parseAddress(text: string, options: { allowLocal: boolean }): string | null {\n  if (text.includes(",")) return text;',
  ),
  one(
    'a name is escaped in JSON',
    'alerts/compose/webhook.ts',
    'name: subject.name, original_name',
    'name: subject.name.replaceAll("<", "&lt;"), original_name',
  ),
  one(
    'an invalid file is nobody’s business',
    'daemon.ts',
    'policyTrouble = invalidPolicy(read.message);',
    'policyTrouble = null;',
  ),
  one(
    'a list that shrank is believed',
    'ledger/look.ts',
    'lasts(shrunkBelievedAfterMs) ? null : listDoubt(expected, still, listing.keys.length)',
    'lasts(shrunkBelievedAfterMs) ? null : listDoubt(expected, still, listing.keys.length) && null',
  ),
  {
    name: 'unknown is read as zero',
    edits: [
      {
        file: 'tinfoil/schemas.ts',
        find: 'throw new Malformed(`${name} is not a whole number`);',
        put: 'return 0;',
      },
      {
        file: 'tinfoil/schemas.ts',
        find: "if (typeof value !== 'number') throw new Malformed(`${name} is not an amount of money`);",
        put: "if (typeof value !== 'number') return 0;",
      },
    ],
  },
  one(
    'a step is announced in each pass',
    'core/cases.ts',
    'court.now - last.alertedAt >= repeatMs',
    'court.now > last.alertedAt',
  ),
  one(
    'a rename is sent again without a look',
    'tinfoil/writer.ts',
    'if (number === 1 || !(await look(unwanted)))',
    'if (number >= 1)',
  ),
  one(
    'a group’s change falls on anybody',
    'core/judge-groups.ts',
    'members: selected() }];',
    'members: bench.live }];',
  ),
  one(
    'the highest of a group is any of it',
    'core/pick.ts',
    'if (rule === null) return members;',
    'if (rule === null || stepIndex >= 0) return members;',
  ),
  one(
    'the highest of a group is the one of all time',
    'core/pick.ts',
    'level: memberLevel(rule, span, record, evidence)',
    'level: memberLevel(rule, { ...span, period: { ...span.period, start: null } }, record, evidence)',
  ),
  one(
    'another key of a group goes for one that is gone',
    'core/pick.ts',
    '[...chosen, ...finding.renamed, ...(finding.fellOn ?? [])]',
    '[...chosen, ...finding.renamed]',
  ),
  one(
    'an owner is told of another’s key',
    'alerts/parcel.ts',
    'JSON.stringify([entry.channel, ...to, entry.batch]);',
    'JSON.stringify([entry.channel, entry.batch]);',
  ),
  one(
    'each alert is a message',
    'alerts/parcel.ts',
    'JSON.stringify([entry.channel, ...to, entry.batch]);',
    'JSON.stringify([entry.channel, ...to, entry.batch, entry.id]);',
  ),
  one(
    'any domain is allowed',
    'alerts/route.ts',
    '!fixed && allowDomains !== null &&',
    'fixed && allowDomains !== null &&',
  ),
  one(
    'quiet hours are not looked at',
    'alerts/quiet.ts',
    'quiet === null || alerts.some((alert) => excepted(quiet, alert)) ?',
    'quiet === null || at > 0 || alerts.some((alert) => excepted(quiet, alert)) ?',
  ),
  one(
    'silenced alerts are told',
    'core/cases.ts',
    'const quiet = members.length > 0 ? alertsSilenced(court, members) : isSilenced(court, finding);',
    'const quiet = alertsSilenced(court, []);',
  ),
  one(
    'a forecast is taken for the level',
    'core/spend-case.ts',
    "const by = step.basis === 'forecast' ? forecast : level;",
    'const by = forecast ?? level;',
  ),
  one(
    'requests are counted in tokens',
    'core/evidence.ts',
    'return counters.requests;',
    'return counters.tokens;',
  ),
  one(
    'a second program on the same state acts',
    'store/database.ts',
    "db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');",
    "db.exec('PRAGMA journal_mode = MEMORY');",
  ),
  one(
    'a reload leaves the pass under way as it is',
    'app.ts',
    'const superseded = (): boolean => policy !== inForce;',
    'const superseded = (): boolean => false;',
  ),
  one(
    'the fresh look is that of the pass',
    'pass/recheck.ts',
    'const again = await look(ports.reader, ports.clock, before(memory), ports.pace, signal);',
    'const again = seen;',
  ),
  one(
    'what is carried out was in no plan',
    'record.ts',
    "...decision.changes.map((change) => entry('change-planned', changeFacts(change))),",
    '',
  ),
  one(
    'a name that Keywarden gave is not protected',
    'core/court.ts',
    '(protects) => protects(subject, court.now) || protects(asNamed, court.now),',
    '(protects) => protects(subject, court.now) || (court.now < 0 && protects(asNamed, court.now)),',
  ),
  one(
    'what cannot be judged is not protected',
    'policy/selector.ts',
    "return (subject, now) => judge(subject, now) !== 'no';",
    "return (subject, now) => judge(subject, now) === 'yes';",
  ),
  one(
    'as much is done as a limit allows',
    'core/limits.ts',
    "held.push(...mine.map((change) => asHeld(court, change, 'limit', detail)));",
    "changes.push(...mine.slice(0, Math.max(0, allowed.count)));\n    held.push(...mine.slice(Math.max(0, allowed.count)).map((change) => asHeld(court, change, 'limit', detail)));",
  ),
  one(
    'a notice goes on after what stopped it',
    'core/deletions.ts',
    "return { kind: stop.because === 'unknown' ? 'held' : 'cancelled', ...stop };",
    "return { kind: pending !== null || stop.because === 'unknown' ? 'held' : 'cancelled', ...stop };",
  ),
  one(
    'a person’s hand between two looks is forgotten',
    'pass/hands.ts',
    'if (renamed.length === 0) return;',
    'if (renamed.length >= 0) return;',
  ),
  one(
    'a deletion of which nothing is known is taken for done',
    'act/reconcile.ts',
    "if (change.kind === 'delete') return record === undefined ? 'done' : 'not-done';",
    "if (change.kind === 'delete') return 'done';",
  ),
  one(
    'a deletion is sent again without a look',
    'tinfoil/writer.ts',
    'if (number === 1 || (await isToGo(wire, target, signal)))',
    'if (number >= 1)',
  ),
  one(
    'what was given up on is not on record',
    'store/outbox.ts',
    'if (nextAttemptAt === null) recordDead(sql, ids, error, now);',
    '',
  ),
  one(
    'whom a notice went to hears no end of it',
    'core/case-alerts.ts',
    'const heard = own.length > 0 ? toldTo : finding.heardBy;',
    'const heard = own.length > 0 ? [] : finding.heardBy;',
  ),
  one(
    'that a limit holds a deletion is told in each pass',
    'core/held-deletions.ts',
    'return { ...pending, heldTold: true };',
    'return pending;',
  ),
  one(
    'a day begins at midnight in UTC',
    'core/periods.ts',
    'return date.toZonedDateTime({ timeZone: spec.timeZone }).epochMilliseconds;',
    "return date.toZonedDateTime({ timeZone: 'UTC' }).epochMilliseconds;",
  ),
  one(
    'quiet hours are in UTC',
    'alerts/quiet.ts',
    'toZonedDateTime(timeZone).epochMilliseconds;',
    "toZonedDateTime(timeZone && 'UTC').epochMilliseconds;",
  ),
  one(
    'what cannot be seen is shown',
    'alerts/compose/display.ts',
    'return reveal(shorten(text, max, max * unitsPerGrapheme));',
    'return shorten(text, max, max * unitsPerGrapheme);',
  ),
  one(
    'that the API can be read again is told because a pass failed once more',
    'app.ts',
    "code === 'api' || needsJudging(code);",
    'needsJudging(code);',
  ),
  one('a hand that a full disk did not take is forgotten', 'pass/hands.ts', 'keepInMind(memory, hands);', ''),
  one(
    'a row of a window is a key’s though another that is gone bore its name in it',
    'ledger/key-evidence.ts',
    '(lastBorneAt?.get(facts.name) ?? -Infinity) > at - windowMs[window];',
    'false;',
  ),
  one('a queue goes on in a dry run', 'alerts/deliver.ts', 'if (isDry()) return null;', ''),
];
