/**
 * Loaded before the program: on SIGUSR2 its heap is written to KEYWARDEN_TEST_HEAP, and what its bytes outside of the
 * heap hold to the same name with `.bytes`; without what is garbage.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { writeHeapSnapshot } from 'node:v8';

process.on('SIGUSR2', () => void write(process.env['KEYWARDEN_TEST_HEAP'] ?? ''));

async function write(path: string): Promise<void> {
  // Both collect garbage before they look.
  writeHeapSnapshot(path);
  writeFileSync(`${path}.bytes`, Buffer.concat(await everyView()));
  process.stderr.write(`${JSON.stringify({ level: 'info', msg: 'heap written' })}\n`);
}

/** Buffers included. */
async function everyView(): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[][] = [];
  Object.assign(globalThis, { hereAreViews: (views: Uint8Array[]) => void found.push(views) });
  const session = new Session();
  session.connect();
  const { result } = await session.post('Runtime.evaluate', { expression: 'Uint8Array.prototype' });
  const { objects } = await session.post('Runtime.queryObjects', {
    prototypeObjectId: result.objectId ?? '',
  });
  await session.post('Runtime.callFunctionOn', {
    objectId: objects.objectId ?? '',
    functionDeclaration: 'function () { hereAreViews(this); }',
  });
  session.disconnect();
  // Prototypes count as objects as well.
  return found.flat().filter((one) => ArrayBuffer.isView(one));
}
