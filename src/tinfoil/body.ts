import { withoutMark } from './json.ts';
import type { Incoming } from './transport.ts';

/** Enough for any error's words. */
const errorBodyCapBytes = 65_536;

/** An answer of more bytes than the caller takes. */
export class BodyTooLarge extends Error {
  readonly status: number;

  constructor(status: number) {
    super('answer too large');
    this.status = status;
  }
}

/**
 * The body's bytes. Throws `BodyTooLarge` as soon as more than `capBytes` are announced or have
 * arrived (unpacked), and what the stream throws.
 */
export async function readBody(response: Incoming, capBytes: number): Promise<Buffer> {
  if (Number(response.headers.get('content-length') ?? 0) > capBytes) {
    await response.body?.cancel();
    throw new BodyTooLarge(response.status);
  }
  const { bytes, complete } = await readUpTo(response, capBytes);
  if (!complete) throw new BodyTooLarge(response.status);
  return bytes;
}

/** The beginning of an error's body; empty if it cannot be read, for the status alone says enough. */
export async function readErrorBody(response: Incoming): Promise<string> {
  try {
    return withoutMark((await readUpTo(response, errorBodyCapBytes)).bytes.toString());
  } catch {
    return '';
  }
}

async function readUpTo(response: Incoming, capBytes: number): Promise<{ bytes: Buffer; complete: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let complete = true;
  const body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = response.body ?? [];
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    complete = size <= capBytes;
    if (!complete) break; // leaving the loop cancels the stream
  }
  return { bytes: joined(chunks, size), complete };
}

/** Without a copy of what came in one piece. */
function joined(chunks: readonly Uint8Array[], size: number): Buffer {
  const [only] = chunks;
  if (only === undefined || chunks.length > 1) return Buffer.concat(chunks, size);
  return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
}
