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

/** The longest name that a rename may set, in characters: the API's own limit, if it has one, is not known. */
export const maxNameLength = 100;

/** Whether a rename could set it. */
export function isLegalName(name: string): boolean {
  return name.trim() !== '' && name.length <= maxNameLength && !/[^A-Za-z0-9_. -]/.test(name);
}
