/** What the Admin API takes as a key's name in a rename. Keys may have been created under others. */

/** Anything but ASCII alphanumerics, hyphens, underscores, spaces and periods, run by run. */
export const illegalInNames = /[^A-Za-z0-9_. -]+/g;

/** The longest name that a rename may set, in characters: the API's own limit, if it has one, is not known. */
export const maxNameLength = 100;

/** Whether a rename could set it. */
export function isLegalName(name: string): boolean {
  return name.trim() !== '' && name.length <= maxNameLength && name.search(illegalInNames) < 0;
}
