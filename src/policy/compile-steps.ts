/** Steps: each by itself, against its policy's rule, and in their order. */
import type { Rule, Step } from '../core/policy.ts';
import { durationMs, template } from './compile-values.ts';
import { nearest } from './nearest.ts';
import type { RawPolicy, RawStep } from './schema.ts';
import { parseDuration, parsePercent } from './values.ts';
import type { Report, View } from './view.ts';

/** What steps are checked against. Null: the rule is malformed there, so what depends on it goes unchecked. */
interface RuleFacts {
  readonly kind: Rule['kind'] | null;
  /** Whether the rule judges several keys as one. */
  readonly isGroup: boolean | null;
  /** Whether its period comes to an end. */
  readonly hasEnd: boolean | null;
  /** When its deadline is, by the key's last use or creation; null: that is not all that it goes by. */
  readonly deadline: { readonly afterMs: number; readonly what: 'last use' | 'creation' } | null;
}

interface StepContext {
  readonly rule: RuleFacts;
  readonly channels: readonly string[];
  readonly report: Report;
}

type StepView = View<RawStep>;

/** `channels`: the names of those that are defined. */
export function compileSteps(policy: View<RawPolicy>, channels: readonly string[], report: Report): Step[] {
  const context = { rule: factsOf(policy), channels, report };
  const views = policy.at('steps').items();
  const steps = views.map((view) => compileStep(view, context));
  checkOrder(views, steps, context);
  return steps;
}

function factsOf(policy: View<RawPolicy>): RuleFacts {
  const kinds = (['spend', 'expiry', 'idle'] as const).filter((kind) => policy.has(kind));
  const kind = kinds.length === 1 ? (kinds[0] ?? null) : null;
  const deadline = deadlineOf(policy, kind);
  if (kind !== 'spend') return { kind, isGroup: kind === null ? null : false, hasEnd: null, deadline };
  const spend = policy.at('spend');
  const [across, per] = [spend.at('across').value, spend.at('per').value];
  return {
    kind,
    isGroup:
      across !== undefined
        ? across !== 'key'
        : spend.place === undefined || spend.has('across')
          ? null
          : false,
    hasEnd: per === undefined ? null : per !== 'lifetime' && !/^\d/.test(per),
    deadline,
  };
}

function deadlineOf(policy: View<RawPolicy>, kind: RuleFacts['kind']): RuleFacts['deadline'] {
  const what = kind === 'idle' ? 'last use' : 'creation';
  const { value } = kind === 'idle' ? policy.at('idle').at('for') : policy.at('expiry').at('max_age');
  const afterMs = kind === 'spend' || value === undefined ? null : parseDuration(value);
  return afterMs === null ? null : { afterMs, what };
}

function compileStep(view: StepView, context: StepContext): Step {
  const { report, rule } = context;
  checkMoment(view, rule, report);
  checkReach(view, rule, report);
  checkDeeds(view, report);
  checkForecast(view, rule, report);
  checkPick(view, rule, report);
  return {
    atPercent: rule.kind === 'spend' ? percentOf(view.at('at'), report) : null,
    offsetMs: offsetOf(view, report),
    alert: alertOf(view.at('alert'), context),
    repeatMs: view.has('repeat')
      ? durationMs(view.at('repeat'), report, '`repeat` must be above zero')
      : null,
    rename: view.has('rename') ? renameOf(view, report) : null,
    delete: view.has('delete') ? { noticeMs: durationMs(view.at('delete').at('notice'), report) } : null,
    basis: view.at('basis').value ?? 'level',
    pick: view.at('pick').value ?? null,
  };
}

/** `at` on spend steps and only there; `before` or `after` on the others. */
function checkMoment(view: StepView, rule: RuleFacts, report: Report): void {
  if (view.has('before') && view.has('after')) {
    report.fault(view.at('after'), 'a step has either `before` or `after`, not both');
  }
  if (rule.kind === null) return;
  if (rule.kind !== 'spend') {
    const hint = 'write `before: 7d` or `after: 7d`, or neither for the deadline itself';
    if (view.has('at'))
      report.fault(view.at('at'), `\`at\` goes only with \`spend\`; this policy has \`${rule.kind}\``, hint);
    return;
  }
  if (!view.has('at') && isMapping(view)) {
    report.fault(
      view,
      'a step of a `spend` policy needs `at`',
      'for example `at: 80%`: the percentage of the limit',
    );
  }
  for (const field of ['before', 'after'] as const) {
    const hint = 'write `at: 80%`: the percentage of the limit';
    if (view.has(field))
      report.fault(view.at(field), `\`${field}\` goes only with \`expiry\` and \`idle\``, hint);
  }
}

/** What changes keys has something to wait for: it does not reach back to where it is so of every key. */
function checkReach(view: StepView, { deadline }: RuleFacts, report: Report): void {
  const before = view.at('before');
  const beforeMs = before.value === undefined ? null : parseDuration(before.value);
  if (deadline === null || beforeMs === null || beforeMs < deadline.afterMs) return;
  if (!view.has('rename') && !view.has('delete')) return;
  const { what } = deadline;
  const all =
    what === 'creation' ? 'every key reaches this step' : 'every key reaches this step, used or not';
  report.fault(before, `${all}: it reaches back to the key’s ${what}`, 'did you mean `after`?');
}

/** Something is done, a deletion is announced, and what only modifies has something to modify. */
function checkDeeds(view: StepView, report: Report): void {
  if (!isMapping(view)) return;
  if (!view.has('alert') && !view.has('rename') && !view.has('delete')) {
    report.fault(view, 'this step does nothing', 'give it one or more of `alert`, `rename` and `delete`');
  }
  if (view.has('rename') && view.has('delete')) {
    const hint = 'put the rename in an earlier step: both then apply, in order';
    report.fault(view.at('delete'), 'a step can rename or delete, not both', hint);
  }
  if (view.has('delete') && !view.has('alert')) {
    const hint = 'add `alert:` with the channels that are to get the notice';
    report.fault(
      view.at('delete'),
      'a step that deletes needs `alert`, for its notice has to go somewhere',
      hint,
    );
  }
  if (view.has('repeat') && !view.has('alert')) {
    report.fault(view.at('repeat'), '`repeat` repeats an alert, and this step has no `alert`');
  }
  if (view.has('restore') && !view.has('rename')) {
    report.fault(view.at('restore'), '`restore` undoes a rename, and this step has no `rename`');
  }
}

function checkForecast(view: StepView, rule: RuleFacts, report: Report): void {
  const basis = view.at('basis');
  if (rule.kind !== null && rule.kind !== 'spend' && view.has('basis')) {
    report.fault(basis, '`basis` goes only with `spend`');
  } else if (basis.value === 'forecast') {
    if (view.has('rename') || view.has('delete')) {
      report.fault(basis, 'a forecast can only alert', 'rename and delete in a step of the real level');
    }
    if (rule.hasEnd === false) {
      const hint = 'use `per: month` or another period of the calendar';
      report.fault(basis, 'a forecast looks to the end of a period, and this one has no end', hint);
    }
  }
}

/** Which key of a group a change falls on: needed exactly where there is a choice. */
function checkPick(view: StepView, rule: RuleFacts, report: Report): void {
  const { isGroup } = rule;
  if (isGroup === null) return;
  const change = view.has('delete') ? 'delete' : view.has('rename') ? 'rename' : null;
  if (isGroup && change !== null && !view.has('pick')) {
    const message = `\`${change}\` needs \`pick\` here: several keys share this budget, so say which of them`;
    report.fault(view.at(change), message, 'add `pick: highest` or `pick: all`');
  }
  if (!view.has('pick') || (isGroup && change !== null)) return;
  const reason = isGroup ? 'this step neither renames nor deletes' : 'this policy judges each key alone';
  report.fault(view.at('pick'), `\`pick\` means nothing here: ${reason}`, 'remove it');
}

function percentOf(view: View<string>, report: Report): number {
  const percent = view.value === undefined ? null : parsePercent(view.value);
  if (percent === 0) report.fault(view, '0% is always reached; it must be above zero');
  return percent ?? 0;
}

function offsetOf(view: StepView, report: Report): number {
  if (view.has('after')) return durationMs(view.at('after'), report);
  // `0 -` rather than a minus sign: there is no negative zero among the offsets.
  return view.has('before') ? 0 - durationMs(view.at('before'), report) : 0;
}

function renameOf(view: StepView, report: Report): Step['rename'] {
  const name = template(view.at('rename'), 'key name', report);
  const isOwn = name.variables.some((variable) => /^(name|id|metadata\..+)$/.test(variable));
  if (view.at('rename').value !== undefined && !isOwn) {
    const hint = 'keys that share a name have to be measured one by one: add {{ name }} or {{ id }}';
    report.warn(view.at('rename'), 'every key that this step renames gets the same name', hint);
  }
  return { template: name, restore: view.at('restore').value ?? true };
}

function alertOf(view: View<string | string[]>, { channels, report }: StepContext): string[] {
  const names: string[] = [];
  for (const item of view.items()) {
    if (item.value === undefined) continue;
    names.push(item.value);
    if (!channels.includes(item.value)) unknownChannel(item, channels, report);
  }
  return [...new Set(names)];
}

function unknownChannel(view: View<string>, channels: readonly string[], report: Report): void {
  const meant = view.place?.fromEnvironment === true ? null : nearest(view.value ?? '', channels);
  const known =
    channels.length === 0 ? 'no channels are defined: add `channels:`' : `known: ${channels.join(', ')}`;
  report.fault(
    view,
    `there is no channel ${view.quoted()}`,
    meant === null ? known : `did you mean \`${meant}\`?`,
  );
}

/** In the order of their thresholds; a forecast is compared with forecasts only, for it comes first by nature. */
function checkOrder(views: readonly StepView[], steps: readonly Step[], { rule, report }: StepContext): void {
  if (rule.kind === null) return;
  const latest = new Map<Step['basis'], number>();
  steps.forEach((step, index) => {
    const view = views[index];
    const field = view === undefined ? undefined : momentOf(view, rule);
    if (view === undefined || field === undefined) return;
    if (view.has('basis') && view.at('basis').value === undefined) return;
    const moment = step.atPercent ?? step.offsetMs;
    const before = latest.get(step.basis);
    if (before !== undefined && moment < before) {
      report.fault(
        field,
        'this step is reached before the one above it',
        'put the steps in the order in which a key reaches them',
      );
    }
    latest.set(step.basis, moment);
  });
}

/** Where the step says when; undefined when that is malformed or missing. */
function momentOf(view: StepView, rule: RuleFacts): View<string> | StepView | undefined {
  const field = rule.kind === 'spend' ? 'at' : view.has('before') ? 'before' : 'after';
  if (view.has(field)) return view.at(field).value === undefined ? undefined : view.at(field);
  return rule.kind === 'spend' || !isMapping(view) ? undefined : view;
}

function isMapping(view: StepView): boolean {
  const value = view.place?.value;
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
