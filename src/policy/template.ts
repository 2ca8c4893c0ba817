/** Templates: `{{ name }}`, parsed and checked when the file is loaded, filled in without a second look. */
import { asLegal, illegalRuns, maxNameLength } from '../core/names.ts';
import type { Rendered, Template, TemplateVariables } from '../core/policy.ts';
import { quote } from './faults.ts';
import { nearest } from './nearest.ts';

const plainNames = ['name', 'policy', 'percent', 'limit', 'level', 'period', 'deadline', 'id'] as const;
type PlainName = (typeof plainNames)[number];

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'plain'; readonly name: PlainName }
  | { readonly kind: 'metadata'; readonly field: string };

export interface TemplateProblem {
  readonly message: string;
  readonly hint: string | null;
}

/** The template, and all that is wrong with it; with problems it must not be used. */
export function parseTemplate(source: string): { template: Template; problems: readonly TemplateProblem[] } {
  const { parts, problems } = parse(source);
  const template: Template = {
    source,
    variables: [...new Set(parts.flatMap(nameOf))],
    render: (variables) => fill(parts, variables, (values) => values.join('')),
    renderName: (variables) => fill(parts, variables, (values) => asName(parts, values, variables.id)),
  };
  return { template, problems };
}

/** What keeps the template from being a key's name; its fixed text must be legal by itself. */
export function renameProblems(source: string): readonly TemplateProblem[] {
  const fixed = fixedText(parse(source).parts);
  const problems: TemplateProblem[] = [];
  const strange = [...new Set(illegalRuns(fixed))].slice(0, 5);
  if (strange.length > 0) {
    problems.push({
      message: `a key name cannot hold ${strange.map(quote).join(', ')}`,
      hint: 'letters, digits, hyphens, underscores, spaces and periods can be used',
    });
  }
  if (fixed.length > maxNameLength) {
    problems.push({
      message: `a key name cannot be longer than ${String(maxNameLength)} characters`,
      hint: null,
    });
  }
  if (source.trim() === '') problems.push({ message: 'a key name cannot be empty', hint: null });
  return problems;
}

function parse(source: string): { parts: Part[]; problems: TemplateProblem[] } {
  const parts: Part[] = [];
  const problems: TemplateProblem[] = [];
  let at = 0;
  for (let open = source.indexOf('{{'); open >= 0; open = source.indexOf('{{', at)) {
    parts.push({ kind: 'text', text: source.slice(at, open) });
    at = open + 2;
    const close = source.indexOf('}}', at);
    const inner = source.slice(at, Math.max(close, at));
    if (close < 0 || inner.includes('{{')) {
      problems.push({ message: '`{{` is never closed', hint: 'write a variable as {{ name }}' });
      continue;
    }
    at = close + 2;
    const variable = variableOf(inner.trim());
    if ('message' in variable) problems.push(variable);
    else parts.push(variable);
  }
  parts.push({ kind: 'text', text: source.slice(at) });
  return { parts, problems };
}

function variableOf(name: string): Part | TemplateProblem {
  const plain = plainNames.find((known) => known === name);
  if (plain !== undefined) return { kind: 'plain', name: plain };
  const [head = '', ...rest] = name.split('.');
  const field = rest.join('.').trim();
  if (head === 'metadata' && field !== '') return { kind: 'metadata', field };
  const meant =
    rest.length > 0 && nearest(head, ['metadata']) !== null ? `metadata.${field || 'NAME'}` : null;
  const near = meant ?? nearest(name, plainNames);
  return {
    message: `unknown template variable ${quote(name)}`,
    hint:
      near === null ? `known: ${plainNames.join(', ')} and metadata.NAME` : `did you mean ${quote(near)}?`,
  };
}

function nameOf(part: Part): string[] {
  if (part.kind === 'text') return [];
  return [part.kind === 'plain' ? part.name : `metadata.${part.field}`];
}

function fixedText(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function fill(
  parts: readonly Part[],
  variables: TemplateVariables,
  join: (values: readonly string[]) => string,
): Rendered {
  const values: string[] = [];
  for (const part of parts) {
    const value = valueOf(part, variables);
    if (value === null) return { ok: false, missing: nameOf(part).join('') };
    values.push(value);
  }
  return { ok: true, text: join(values) };
}

/** Null: metadata that is missing, or that is no text, number or boolean. */
function valueOf(part: Part, variables: TemplateVariables): string | null {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'plain':
      return variables[part.name];
    case 'metadata': {
      if (!Object.hasOwn(variables.metadata, part.field)) return null;
      const value = variables.metadata[part.field];
      const printable = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      return printable ? String(value) : null;
    }
    default:
      return part satisfies never;
  }
}

/**
 * Fixed text stays whole and what variables bring in is shortened, so that a mark such as "IDLE" is
 * never cut off. Spaces at the ends go. When nothing is left, the key's id stands in.
 */
function asName(parts: readonly Part[], values: readonly string[], id: string): string {
  let room = maxNameLength - fixedText(parts).length;
  const pieces = values.map((value, index) => {
    if (parts[index]?.kind === 'text') return value;
    const piece = asLegal(value).slice(0, Math.max(room, 0));
    room -= piece.length;
    return piece;
  });
  return pieces.join('').trim() || id;
}
