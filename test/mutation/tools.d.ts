/** What `main.ts` installs, as far as it is used here. */
declare module 'expect' {
  export const expect: unknown;
}

declare module 'mocha' {
  type Define = (name: string, body: () => unknown) => unknown;
  export const describe: Define;
  export const it: Define;
}
