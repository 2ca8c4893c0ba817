/**
 * What the Admin API takes as a key's name in a rename: ASCII alphanumerics, hyphens, underscores, spaces and
 * periods. Keys may have been created under others.
 */
const illegal = /[^A-Za-z0-9_. -]+/g;

/** The runs of characters that it does not take. */
export function illegalRuns(text: string): readonly string[] {
  return text.match(illegal) ?? [];
}

/** The text with each such run made one hyphen. */
export function asLegal(text: string): string {
  return text.replace(illegal, '-');
}

export function isLegalName(name: string): boolean {
  return !/[^A-Za-z0-9_. -]/.test(name);
}
