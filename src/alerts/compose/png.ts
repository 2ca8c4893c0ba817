/** A picture of few colours as a PNG (https://www.w3.org/TR/png-3/): four chunks, the pixels as zlib packs them. */
import { crc32, deflateSync } from 'node:zlib';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Row by row, a byte each: its colour's place in the palette. */
  readonly data: Uint8Array;
  /** Red, green, blue and opacity, each up to 255; at most 256 of them. */
  readonly palette: readonly (readonly [number, number, number, number])[];
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Eight bits a pixel that are a place in the palette; nothing unusual. */
const format = [8, 3, 0, 0, 0];

export function encodePng({ width, height, data, palette }: Picture): Uint8Array {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    Buffer.from(signature),
    chunk('IHDR', Buffer.from([...header, ...format])),
    chunk('PLTE', Buffer.from(palette.flatMap(([red, green, blue]) => [red, green, blue]))),
    chunk('tRNS', Buffer.from(palette.map(([, , , opacity]) => opacity))),
    chunk('IDAT', deflateSync(rowsOf(width, height, data), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Each row as what differs from the one above, which is next to nothing, behind a byte that says so. */
function rowsOf(width: number, height: number, data: Uint8Array): Uint8Array {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const row = y * (width + 1);
    rows[row] = 2;
    for (let x = 0; x < width; x += 1)
      rows[row + 1 + x] = (data[y * width + x] ?? 0) - (data[(y - 1) * width + x] ?? 0);
  }
  return rows;
}

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(body.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), named.length + 4);
  return whole;
}
