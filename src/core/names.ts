/** What the Admin API takes as a key's name in a rename. Keys may have been created under others. */

/** Anything but ASCII alphanumerics, hyphens, underscores, spaces and periods, run by run. */
export const illegalInNames = /[^A-Za-z0-9_. -]+/g;

export function isLegalName(name: string): boolean {
  return name.search(illegalInNames) < 0;
}
