/** Days as bars in a PNG. No text in it: words are set by the mail, in its own letters and colours. */
import { encode } from 'fast-png';

/** In CSS pixels; drawn at twice as many. */
export const pictureSize = { width: 552, height: 72 } as const;

const scale = 2;
const width = pictureSize.width * scale;
const height = pictureSize.height * scale;
const gap = 4 * scale;
const baseline = 1 * scale;
/** The least that is drawn of a day with any use. */
const leastBar = 2 * scale;
const outline = 2 * scale;
const hatchPeriod = 7 * scale;
const hatchWidth = 2 * scale;

/** Nothing is transparent first: so the encoder writes it. The colours show on white and on near-black. */
const palette = [
  [0, 0, 0, 0],
  [59, 125, 221, 255],
  [131, 139, 149, 255],
];
const colour = { bar: 1, grey: 2 } as const;

/** Oldest first, the running day last and hollow; null, not known, is hatched. At least one. */
export function drawDays(days: readonly (number | null)[]): Uint8Array {
  const data = new Uint8Array(width * height);
  const top = days.reduce<number>((max, used) => Math.max(max, used ?? 0), 0);
  const slot = width / days.length;
  for (const [index, used] of days.entries()) {
    const left = Math.round(index * slot);
    const right = Math.round((index + 1) * slot);
    if (used === null) hatch(data, left, right);
    else if (used > 0) {
      const tall = Math.max(leastBar, Math.round((used / top) * (height - baseline)));
      bar(data, left + gap / 2, right - gap / 2, tall, index === days.length - 1);
    }
  }
  fill(data, 0, width, height - baseline, height, colour.grey);
  return encode({ width, height, data, depth: 8, channels: 1, palette }, { zlib: { level: 9 } });
}

function fill(data: Uint8Array, left: number, right: number, from: number, to: number, value: number): void {
  for (let y = from; y < to; y += 1) data.fill(value, y * width + left, y * width + right);
}

function bar(data: Uint8Array, left: number, right: number, tall: number, hollow: boolean): void {
  const from = height - baseline - tall;
  fill(data, left, right, from, height - baseline, colour.bar);
  if (hollow && tall > 2 * outline)
    fill(data, left + outline, right - outline, from + outline, height - baseline, 0);
}

function hatch(data: Uint8Array, left: number, right: number): void {
  for (let y = 0; y < height - baseline; y += 1)
    for (let x = left; x < right; x += 1)
      if ((x + y) % hatchPeriod < hatchWidth) data[y * width + x] = colour.grey;
}
