/** The renames that a case asks for. */
import { modeOf, obstacle, templateVariables } from './court.ts';
import type { Question } from './evidence.ts';
import type { KeyId } from './key.ts';
import { isLegalName } from './names.ts';
import type { Held, PlannedChange } from './plan.ts';
import type { Template, TemplateVariables } from './policy.ts';
import type { KeyRecord } from './state.ts';
import { picked } from './pick.ts';
import { confirmation, heldBack, highestReached, planned, unconfirmed } from './wish.ts';
import type { Case, Stop } from './wish.ts';

export interface WantedRenames {
  readonly changes: readonly PlannedChange[];
  readonly held: readonly Held[];
  readonly questions: readonly Question[];
}

/** A mark shorter than this may be part of any name. */
const shortestMark = 3;

type RenameWish =
  | { readonly kind: 'none' }
  | { readonly kind: 'rename'; readonly to: string }
  | ({ readonly kind: 'held' } & Stop);

/** `except`: keys that are deleted in this pass. */
export function wantedRenames(one: Case, except: (id: KeyId) => boolean): WantedRenames {
  const changes: PlannedChange[] = [];
  const held: Held[] = [];
  const questions: Question[] = [];
  const step = highestReached(one.judgement, ({ rename }) => rename !== null);
  if (step === null) return { changes, held, questions };
  for (const record of picked(one, step)) {
    if (except(record.id)) continue;
    const wish = renameWish(one, record, step);
    if (wish.kind === 'rename') changes.push(planned(one, 'rename', record, step, wish.to));
    if (wish.kind !== 'held') continue;
    held.push(heldBack(one, 'rename', record, step, wish));
    if (wish.because === 'unconfirmed') questions.push(...confirmation(one, record, step));
  }
  return { changes, held, questions };
}

function renameWish(one: Case, record: KeyRecord, stepIndex: number): RenameWish {
  const { court, judgement } = one;
  const { policy, figures } = judgement;
  const wish = policy.steps[stepIndex]?.rename ?? null;
  if (wish === null || isSettled(one, record, stepIndex)) return { kind: 'none' };
  const variables = templateVariables(policy.name, figures, record, '');
  const name = wish.template.renderName(variables);
  if (!name.ok) return { kind: 'held', because: 'unknown', detail: `${name.missing} is missing` };
  if (name.text === record.facts.name || bearsMark(wish.template, variables)) return { kind: 'none' };
  const stop =
    obstacle(court, record, modeOf(court, policy)) ??
    unconfirmed(one, stepIndex) ??
    (wish.restore && !isLegalName(record.facts.name) ? forGood : null);
  return stop === null ? { kind: 'rename', to: name.text } : { kind: 'held', ...stop };
}

/** What is promised to be undone is not done where it could not be. */
const forGood: Stop = {
  because: 'unknown',
  detail:
    'the API would not take its present name back, for its characters or its length; with `restore: false` it is renamed all the same',
};

/** It was done in this finding already, or a person has changed the name that this finding gave. */
function isSettled({ finding, judgement }: Case, record: KeyRecord, stepIndex: number): boolean {
  const mine = finding.renamed.filter(({ keyId, undone }) => keyId === record.id && undone !== true);
  const { length } = judgement.policy.steps;
  // A step that is gone from the file was not a higher one.
  if (mine.some(({ step }) => step >= stepIndex && step < length)) return true;
  return mine.length > 0 && (record.renamedByPersonAt ?? 0) >= finding.openedAt;
}

/** No name is made of, so that it shows what a template puts around one. */
const stand = '0-0_0-0';

/**
 * The original name has what the template puts around a name, as if it were made by it: after the state was
 * lost, or because a person kept the mark. It is not put there twice.
 */
function bearsMark(template: Template, variables: TemplateVariables): boolean {
  const shape = template.renderName({ ...variables, name: stand });
  const [before = '', after, ...more] = shape.ok ? shape.text.split(stand) : [];
  if (after === undefined || more.length > 0 || (before + after).trim().length < shortestMark) return false;
  const { name } = variables;
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}
