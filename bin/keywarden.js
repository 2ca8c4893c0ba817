#!/usr/bin/env node
// Runs the sources in a checkout and the compiled program in an installed package,
// where Node.js does not strip types (it refuses to under node_modules).
import { existsSync } from 'node:fs';
// By its default export: a name that an older Node.js lacks would fail before the check below.
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`keywarden needs Node.js 24 or newer; this is ${process.version}.`);
  process.exit(1);
}
// Keeps what was compiled (and stripped of types) for the next start; where it cannot be kept, nothing is lost.
module.enableCompileCache();
// A daemon that waits most of the time: two thirds of the memory for a little speed. What runs hot is still
// compiled, by the last compiler alone; the two before it hold code for much that runs a few times. The
// WebAssembly is the HTTP parser behind `fetch`, where a channel uses that; the quick compiler serves it as well.
const thrift = [
  '--max-semi-space-size=2',
  '--optimize-for-size',
  '--no-sparkplug',
  '--no-maglev',
  '--liftoff-only',
];
for (const flag of thrift) setFlagsFromString(flag);
// Should Node.js write a diagnostic report: without the environment, which holds the secrets.
process.report.excludeEnv = true;
const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
