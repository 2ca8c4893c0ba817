import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { environmentOf } from '../../src/policy/environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'keywarden-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(content: string): string {
  const file = join(folder, `secret-${String(content.length)}`);
  writeFileSync(file, content);
  return file;
}

it('takes the variable before the file', () => {
  expect(environmentOf({ X: 'a', X_FILE: fileOf('b') })('X')).toEqual({ value: 'a' });
});

it.each([
  ['hunter2', 'hunter2'],
  ['hunter2\n', 'hunter2'],
  ['hunter2\r\n', 'hunter2'],
  ['two\nlines\n\n', 'two\nlines\n'],
])('reads the file %j as %j', (content, value) => {
  expect(environmentOf({ X_FILE: fileOf(content) })('X')).toEqual({ value });
});

it('takes the file when the variable is empty', () => {
  expect(environmentOf({ X: '', X_FILE: fileOf('b') })('X')).toEqual({ value: 'b' });
});

it('says why there is no value', () => {
  const file = join(folder, 'nowhere');
  expect(environmentOf({})('X')).toEqual({ missing: 'neither X nor X_FILE is set' });
  expect(environmentOf({ X: '' })('X')).toEqual({ missing: 'neither X nor X_FILE is set (X is empty)' });
  expect(environmentOf({ X_FILE: file })('X')).toEqual({
    missing: 'the file that X_FILE names cannot be read (ENOENT)',
  });
  expect(environmentOf({ X_FILE: fileOf('\n') })('X')).toEqual({
    missing: 'the file that X_FILE names is empty',
  });
});

it.each(['constructor', 'toString', '__proto__'])('%s is a name like any other', (name) => {
  expect(environmentOf({})(name)).toHaveProperty('missing');
});

it.each(['TINFOIL_ADMIN_KEY', 'KEYWARDEN_TOKEN'])('keeps %s, which is the program’s own', (name) => {
  const environment = environmentOf({ [name]: 'admin_abcdef', [`${name}_FILE`]: fileOf('admin_abcdef') });
  expect(environment(name)).toEqual({
    missing: `${name} is Keywarden’s own secret and cannot be used in a policy file`,
  });
});
