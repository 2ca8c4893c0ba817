/** What is known not to be kept yet, and why: told, but no failure. To be empty. */
export const notYet: readonly { readonly code: string; readonly because: string }[] = [];
