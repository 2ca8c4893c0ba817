/**
 * How a mail looks. Colours stand in each element for light backgrounds, for many clients drop style
 * sheets; clients that keep them and are dark take the second colour by the element's class.
 */
import type { Tone } from './gravity.ts';

interface Paint {
  readonly property: 'color' | 'background-color' | 'border-color';
  readonly light: string;
  readonly dark: string;
}

/** Text has a contrast of 4.5 or more on each of the grounds, in both. */
const paints = {
  page: { property: 'background-color', light: '#f3f4f6', dark: '#0d1117' },
  card: { property: 'background-color', light: '#ffffff', dark: '#161b22' },
  box: { property: 'background-color', light: '#f3f4f6', dark: '#262c36' },
  text: { property: 'color', light: '#1f2328', dark: '#e6edf3' },
  muted: { property: 'color', light: '#57606a', dark: '#a5afba' },
  rule: { property: 'border-color', light: '#d0d7de', dark: '#3d444d' },
  limit: { property: 'border-color', light: '#1f2328', dark: '#e6edf3' },
  free: { property: 'background-color', light: '#e1e4e8', dark: '#3d444d' },
  used: { property: 'background-color', light: '#3b7ddd', dark: '#4c8dee' },
  unsure: { property: 'background-color', light: '#b3cef5', dark: '#2c4a75' },
  beyond: { property: 'background-color', light: '#cf222e', dark: '#e5534b' },
  'beyond-unsure': { property: 'background-color', light: '#f3b8bb', dark: '#7a2f31' },
} as const satisfies Readonly<Record<string, Paint>>;

export type PaintName = keyof typeof paints;

/** `class` and `style` of an element: its paints and whatever else is said of it. */
export function look(names: readonly PaintName[], css: string): string {
  const painted = names.map((name) => `${paints[name].property}:${paints[name].light}`);
  // Last: a border's short form sets its colour too.
  const style = [css, ...painted].filter((one) => one !== '').join(';');
  return `${names.length === 0 ? '' : `class="${names.join(' ')}" `}style="${style}"`;
}

/** For Word, which knows no style of a cell's ground. */
export function bgcolor(name: PaintName): string {
  return `bgcolor="${paints[name].light}"`;
}

const dark = Object.entries(paints).map(
  ([name, paint]) => `.${name}{${paint.property}:${paint.dark}!important}`,
);

export const styleSheet = [
  ':root{color-scheme:light dark;supported-color-schemes:light dark}',
  '@media (max-width:480px){.inset{padding:16px!important}.outset{padding:0!important}}',
  `@media (prefers-color-scheme:dark){${dark.join('')}}`,
].join('\n');

/** White on any of them has a contrast of 5 or more. */
export const toneColours: Readonly<Record<Tone, string>> = {
  critical: '#b42318',
  warning: '#9a4f00',
  info: '#0b5cad',
  resolved: '#1a7037',
};
