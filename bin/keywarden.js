#!/usr/bin/env node
// Runs the sources in a checkout and the compiled program in an installed package,
// where Node.js does not strip types (it refuses to under node_modules).
import { existsSync } from 'node:fs';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`keywarden needs Node.js 24 or newer; this is ${process.version}.`);
  process.exit(1);
}
const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
