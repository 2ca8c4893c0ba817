/**
 * YAML text into plain values, each with its place. Our own walk over the parsed document rather than
 * the library's, for it keeps places and source text, replaces `${NAME}`, finds duplicate fields in
 * linear time and bounds what aliases can grow to.
 */
import { isAlias, isMap, isScalar, parseDocument } from 'yaml';
import type { Alias, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Environment } from './environment.ts';
import { quote, type Problem } from './faults.ts';
import { nearest } from './nearest.ts';
import { child } from './pointer.ts';
import { isSecretField, type Range } from './secrecy.ts';
import { syntaxProblems } from './syntax.ts';

/** Where a value stands and what was written there. Offsets count UTF-16 units of the text. */
export interface Place {
  readonly value: unknown;
  readonly start: number;
  /** Of the name of the field that holds it; null in lists. */
  readonly nameStart: number | null;
  /** A scalar as written, without quotes, before `${NAME}` was replaced; '' for lists and mappings. */
  readonly written: string;
  /** Whether the value, in part or whole, came from the environment: it is never shown. */
  readonly fromEnvironment: boolean;
}

export interface Source {
  readonly text: string;
  /** By JSON Pointer; the root is ''. */
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly Problem[];
  /** Whether it is YAML at all, so that `places` tell the whole story. */
  readonly wellFormed: boolean;
  /** Ranges of values whose field's name says that they are secrets. */
  readonly secrets: readonly Range[];
}

const maxDepth = 40;
/** Aliases are for repeating a list of channels, not for building bombs. */
const maxAliasedValues = 10_000;

interface Walk {
  readonly text: string;
  readonly environment: Environment;
  readonly places: Map<string, Place>;
  readonly problems: Problem[];
  readonly secrets: Range[];
  /** Complete nodes above this one, so that no alias can lie within its own anchor. */
  readonly anchors: Map<string, ParsedNode>;
  aliasesAround: number;
  aliasedValues: number;
}

interface Spot {
  readonly pointer: string;
  readonly depth: number;
  readonly nameStart: number | null;
}

export function readSource(text: string, environment: Environment): Source {
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false });
  const problems = syntaxProblems(document);
  const wellFormed = problems.length === 0;
  const [places, secrets, anchors] = [new Map<string, Place>(), [], new Map<string, ParsedNode>()];
  const walk: Walk = {
    text,
    environment,
    places,
    problems,
    secrets,
    anchors,
    aliasesAround: 0,
    aliasedValues: 0,
  };
  if (document.contents !== null) visit(walk, document.contents, { pointer: '', depth: 0, nameStart: null });
  return { text, places, problems, wellFormed, secrets };
}

function complain(
  walk: Walk,
  pointer: string,
  offset: number,
  message: string,
  hint: string | null = null,
): void {
  walk.problems.push({ pointer, offset, message, hint });
}

function visit(walk: Walk, node: ParsedNode, spot: Spot): unknown {
  if (isTooMuch(walk, node, spot)) return null;
  if (isAlias(node)) return visitAlias(walk, node, spot);
  const value = isScalar(node) ? visitScalar(walk, node, spot) : visitCollection(walk, node, spot);
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  return value;
}

function isTooMuch(walk: Walk, node: ParsedNode, { pointer, depth }: Spot): boolean {
  if (walk.aliasesAround > 0) walk.aliasedValues++;
  if (walk.aliasedValues === maxAliasedValues + 1) {
    walk.aliasedValues++;
    complain(
      walk,
      pointer,
      node.range[0],
      `aliases (\`*\`) grow to more than ${String(maxAliasedValues)} values`,
    );
  }
  if (depth === maxDepth) {
    complain(walk, pointer, node.range[0], `nested more than ${String(maxDepth)} levels deep`);
  }
  return depth >= maxDepth || (walk.aliasesAround > 0 && walk.aliasedValues > maxAliasedValues);
}

function visitCollection(walk: Walk, node: YAMLMap.Parsed | YAMLSeq.Parsed, spot: Spot): unknown {
  const value = isMap(node) ? visitMap(walk, node, spot) : visitList(walk, node, spot);
  const { pointer, nameStart } = spot;
  walk.places.set(pointer, { value, start: node.range[0], nameStart, written: '', fromEnvironment: false });
  return value;
}

function visitList(walk: Walk, node: YAMLSeq.Parsed, { pointer, depth }: Spot): unknown[] {
  return node.items.map((item, index) => {
    const spot = { pointer: child(pointer, index), depth: depth + 1, nameStart: null };
    // In a flow list, `[a: b]` is a pair that stands for a mapping of one field.
    return 'range' in item ? visit(walk, item, spot) : null;
  });
}

function visitMap(walk: Walk, node: YAMLMap.Parsed, { pointer, depth }: Spot): Record<string, unknown> {
  // Without a prototype, `__proto__` and `constructor` are names like any other.
  const mapping = Object.create(null) as Record<string, unknown>;
  for (const { key, value } of node.items) {
    const start = key.range[0];
    if (!isScalar(key) || key.value === null) {
      complain(walk, pointer, start, 'a field name must be plain text');
      continue;
    }
    const name = key.source;
    const at = child(pointer, name);
    if (value !== null && isSecretField(name)) walk.secrets.push([value.range[0], value.range[1]]);
    if (Object.hasOwn(mapping, name))
      complain(walk, at, start, `${quote(name)} is given twice`, 'keep one of the two');
    else if (value === null) mapping[name] = visitBareName(walk, key, at);
    else mapping[name] = visit(walk, value, { pointer: at, depth: depth + 1, nameStart: start });
  }
  return mapping;
}

/** `{ name }`: a field without even a colon. */
function visitBareName(walk: Walk, key: Scalar.Parsed, pointer: string): null {
  const start = key.range[0];
  walk.places.set(pointer, { value: null, start, nameStart: start, written: '', fromEnvironment: false });
  return null;
}

function visitAlias(walk: Walk, node: Alias.Parsed, spot: Spot): unknown {
  const target = walk.anchors.get(node.source);
  if (target === undefined) {
    const meant = nearest(node.source, walk.anchors.keys());
    const hint =
      meant === null ? 'text that starts with `*` needs quotes' : `did you mean ${quote(`*${meant}`)}?`;
    complain(
      walk,
      spot.pointer,
      node.range[0],
      'an alias (`*`) to an anchor that is not defined above it',
      hint,
    );
    return null;
  }
  walk.aliasesAround++;
  const value = visit(walk, target, spot);
  walk.aliasesAround--;
  return value;
}

function visitScalar(walk: Walk, node: Scalar.Parsed, { pointer, nameStart }: Spot): unknown {
  const value =
    typeof node.value === 'string' ? replaceVariables(walk, node, node.value, pointer) : node.value;
  const fromEnvironment = value !== node.value;
  walk.places.set(pointer, { value, start: node.range[0], nameStart, written: node.source, fromEnvironment });
  return value;
}

/** Replacement happens in values, after parsing, so that nothing in them is ever read as YAML. */
function replaceVariables(walk: Walk, node: Scalar.Parsed, value: string, pointer: string): string {
  return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g, (whole, name: string | undefined) => {
    const [start, end] = node.range;
    const offset = start + Math.max(walk.text.slice(start, end).indexOf(whole), 0);
    if (name === undefined) {
      complain(walk, pointer, offset, '`${` must be followed by the name of an environment variable and `}`');
      return whole;
    }
    const found = walk.environment(name);
    if ('value' in found) return found.value;
    complain(walk, pointer, offset, `the environment variable ${name} is missing: ${found.missing}`);
    return whole;
  });
}
