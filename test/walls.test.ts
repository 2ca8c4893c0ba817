/** The walls between the rooms of `src/`: who may import whom. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

interface Wall {
  /** Rooms whose values may be imported. A room may always import itself. */
  readonly from: readonly string[];
  /** Rooms, or single files, of which only types may be. */
  readonly types?: readonly string[];
  /** Packages and built-ins; left out: any. */
  readonly packages?: readonly string[];
}

const adapters = ['tinfoil', 'store', 'alerts'];
const port: Wall = { from: ['core', 'ports.ts'], types: ['policy'] };
const pureTypes = ['policy', 'store/store.ts'];

/** A room is a folder of `src/` or a file at its top. */
const walls: Readonly<Record<string, Wall>> = {
  core: { from: [], packages: ['temporal-polyfill'] },
  policy: { from: ['core'] },
  tinfoil: port,
  store: port,
  // A measure of the program as it runs, so it is told what a pass and the daemon came to.
  web: { from: ['core', 'ports.ts'], types: ['policy', 'pass.ts', 'app.ts', 'daemon.ts', 'store/store.ts'] },
  alerts: port,
  ledger: { from: ['core', 'ports.ts'], types: pureTypes, packages: ['p-limit'] },
  act: { from: ['core', 'ports.ts'], types: pureTypes, packages: [] },
  'memory.ts': { from: ['core'], types: [...pureTypes, 'ledger'], packages: [] },
  'record.ts': { from: ['core'], types: [...pureTypes, 'deliberate.ts'], packages: [] },
  'deliberate.ts': { from: ['core', 'ledger', 'ports.ts'], types: [...pureTypes, 'memory.ts'], packages: [] },
  pass: {
    from: ['core', 'ledger', 'act', 'ports.ts', 'deliberate.ts', 'memory.ts', 'record.ts'],
    types: pureTypes,
    packages: [],
  },
  'pass.ts': {
    from: ['core', 'ledger', 'act', 'deliberate.ts', 'memory.ts', 'pass'],
    types: pureTypes,
    packages: [],
  },
  'daemon.ts': { from: ['core', 'app.ts'], types: ['pass.ts', 'ports.ts'], packages: ['pino'] },
  'ports.ts': { from: ['core'], packages: [] },
  'settings.ts': { from: ['core'], types: ['clock.ts'] },
  'clock.ts': { from: ['core', 'ports.ts'] },
  'policy-file.ts': { from: ['core', 'policy', 'scrub.ts'] },
  'log.ts': { from: ['core', 'scrub.ts'], types: ['settings.ts'] },
  'scrub.ts': { from: ['core'] },
  'version.ts': { from: [] },
  'rest.ts': { from: [] },
  'post-clock.ts': { from: [], types: ['memory.ts', 'ports.ts'] },
  'call-meter.ts': { from: [], types: ['core', 'ports.ts'] },
  'adapters.ts': {
    from: ['core', 'clock.ts', 'version.ts', 'ports.ts', ...adapters],
    types: ['settings.ts'],
  },
  'app.ts': {
    from: [
      ...['adapters.ts', 'alerts', 'call-meter.ts', 'core', 'ledger', 'ports.ts'],
      ...['deliberate.ts', 'memory.ts', 'pass', 'pass.ts', 'post-clock.ts', 'scrub.ts'],
    ],
    types: ['settings.ts', 'store/store.ts'],
  },
  sandbox: { from: ['core', 'ports.ts'] },
  cli: {
    from: [
      ...['core', 'policy', 'sandbox', 'web', 'ports.ts', 'app.ts', 'adapters.ts', 'daemon.ts'],
      ...['clock.ts', 'log.ts', 'policy-file.ts', 'rest.ts', 'scrub.ts', 'settings.ts', 'version.ts'],
    ],
    types: ['deliberate.ts', 'pass.ts', 'store/store.ts'],
  },
  'main.ts': { from: ['cli', 'log.ts', 'scrub.ts', 'version.ts'] },
};

/** What one file may import beyond its room's wall, and why. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Shows and sends a sample of every alert without an account or a state to build an app on.
  'cli/notify-test.ts': ['alerts'],
  // Prints the shape of what a webhook channel posts.
  'cli/schema.ts': ['alerts'],
  // Tells what the messages said in the messages' own words.
  'cli/demo/words.ts': ['alerts'],
};

interface Import {
  readonly of: string;
  readonly typesOnly: boolean;
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const typesOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      found.push({ of: node.moduleSpecifier.text, typesOnly });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ of: node.moduleSpecifier.text, typesOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [of] = node.arguments;
      found.push({ of: of && ts.isStringLiteral(of) ? of.text : '(computed)', typesOnly: false });
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      found.push({ of: node.argument.literal.text, typesOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest));
  return found;
}

const roomOf = (path: string): string => path.split('/')[0] ?? path;

/** The imports of the file at `path` (within `src/`) that its wall does not allow. */
function breaches(path: string, text: string): string[] {
  const wall = walls[roomOf(path)];
  if (wall === undefined) return [`${path}: a room without a wall`];
  return importsOf(text)
    .filter((one) => !allowed(path, wall, one))
    .map(({ of, typesOnly }) => `${path}: ${typesOnly ? 'types of ' : ''}${of}`);
}

function allowed(path: string, wall: Wall, { of, typesOnly }: Import): boolean {
  if (!of.startsWith('.')) return wall.packages?.includes(of) ?? of !== '(computed)';
  const target = posix.join(posix.dirname(path), of);
  const rooms = [roomOf(path), ...wall.from, ...(exceptions[path] ?? [])];
  const types = typesOnly ? (wall.types ?? []) : [];
  return [...rooms, ...types].some((one) => one === target || one === roomOf(target));
}

const src = join(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(src, join(entry.parentPath, entry.name)));

test('every file keeps to its room', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap((path) => breaches(path, readFileSync(join(src, path), 'utf8')))).toEqual([]);
});

test('nothing imports main, and no wall or exception is for a file that is gone', () => {
  expect(Object.values(walls).flatMap((wall) => [...wall.from, ...(wall.types ?? [])])).not.toContain(
    'main.ts',
  );
  const rooms = new Set(files.map(roomOf));
  expect(Object.keys(walls).filter((room) => !rooms.has(room))).toEqual([]);
  expect(Object.keys(exceptions).filter((path) => !files.includes(path))).toEqual([]);
});

test.each([
  ['core/made-up.ts', `import { readFileSync } from 'node:fs';`, 'core/made-up.ts: node:fs'],
  [
    'core/made-up.ts',
    `import type { Store } from '../store/store.ts';`,
    'core/made-up.ts: types of ../store/store.ts',
  ],
  ['policy/made-up.ts', `export { x } from '../ledger/look.ts';`, 'policy/made-up.ts: ../ledger/look.ts'],
  ['act/made-up.ts', `import { createStore } from '../store/store.ts';`, 'act/made-up.ts: ../store/store.ts'],
  [
    'web/made-up.ts',
    `type A = import('../alerts/route.ts').A;`,
    'web/made-up.ts: types of ../alerts/route.ts',
  ],
  ['cli/made-up.ts', `await import('../tinfoil/client.ts');`, 'cli/made-up.ts: ../tinfoil/client.ts'],
  ['cli/made-up.ts', `import '../main.ts';`, 'cli/made-up.ts: ../main.ts'],
  ['ledger/made-up.ts', `await import(name);`, 'ledger/made-up.ts: (computed)'],
  ['attic/made-up.ts', '', 'attic/made-up.ts: a room without a wall'],
])('a breach in %s is found: %s', (path, text, breach) => {
  expect(breaches(path, text)).toEqual([breach]);
});
