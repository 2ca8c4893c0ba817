/** Selectors as written into judges. */
import type { RawSelector } from './schema.ts';
import {
  allOf,
  anyOf,
  everyKey,
  has,
  metadataMatches,
  nameMatches,
  not,
  olderThan,
  type Judge,
} from './selector.ts';
import type { Report, View } from './view.ts';
import { durationMs } from './compile-values.ts';

type Selection = 'all' | RawSelector | RawSelector[];

/** `select:`, an item of `protect:`. A malformed part judges nothing, for the file is refused anyway. */
export function compileSelection(view: View<Selection>, report: Report): Judge {
  if (view.value === 'all') return everyKey;
  return anyOf(view.items().map((item) => compileSelector(item as View<RawSelector>, report)));
}

/** Every `older_than` in a selection, in milliseconds. */
export function agesIn(view: View<Selection>, report: Report): number[] {
  if (view.value === 'all') return [];
  return view.items().flatMap((item) => {
    const selector = item as View<RawSelector>;
    const own = selector.has('older_than') ? [durationMs(selector.at('older_than'), report)] : [];
    return selector.has('not') ? [...own, ...agesIn(selector.at('not'), report)] : own;
  });
}

function compileSelector(view: View<RawSelector>, report: Report): Judge {
  const judges: Judge[] = [];
  if (view.has('name')) judges.push(nameMatches(view.at('name').items().map(textOf)));
  for (const [field, patterns] of view.at('metadata').entries()) {
    judges.push(metadataMatches(field, patterns.items().flatMap(comparable)));
  }
  for (const trait of ['expires', 'token_limit', 'chat'] as const) {
    const wanted = view.at(trait).value;
    if (wanted !== undefined) judges.push(has(trait, wanted));
  }
  if (view.has('older_than')) judges.push(olderThan(durationMs(view.at('older_than'), report)));
  if (view.has('not')) judges.push(not(compileSelection(view.at('not'), report)));
  return allOf(judges);
}

function textOf(view: View<string>): string {
  return view.value ?? '';
}

/** A number is compared as it is written and as JSON would write it: `1.0` meets the text "1.0" and the number 1. */
function comparable(view: View<string | number | boolean>): string[] {
  const { value, place } = view;
  if (typeof value === 'string' || place === undefined) return [value === undefined ? '' : String(value)];
  return [...new Set([place.written, String(value)])];
}
