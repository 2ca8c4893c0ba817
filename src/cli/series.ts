import type { SeriesPoint, SeriesWindow } from '../ports.ts';
import type { Reading } from './by-hand.ts';
import { count, minute, rfc3339, strange, writeJson, writeTable, type Column } from './output.ts';
import { during } from './progress.ts';

/** `keywarden series`: tokens and requests of the whole account over time. */
export async function series(by: Reading, { window }: { readonly window: SeriesWindow }): Promise<number> {
  const { reader, world } = by;
  const { interval, points } = await during(world.stderr, 'Reading the time series…', () =>
    reader.series(window, world.signal),
  );
  if (by.output === 'json') {
    writeJson(world.stdout, { time: window, interval, data_points: points.map(pointJson) });
  } else if (points.length > 0) {
    writeTable(world.stdout, columns, points);
  } else {
    world.stderr.write('No usage in that time.\n');
  }
  return 0;
}

const pointJson = (point: SeriesPoint) => ({
  time: rfc3339(point.at),
  tokens: point.tokens,
  requests: point.requests,
  models: [...point.models].map(([model, { tokens, requests }]) => ({ model, tokens, requests })),
});

const columns: readonly Column<SeriesPoint>[] = [
  { title: 'TIME', text: (point) => minute(point.at) },
  { title: 'TOKENS', text: (point) => count(point.tokens), align: 'right' },
  { title: 'REQUESTS', text: (point) => count(point.requests), align: 'right' },
  { title: 'MODELS', text: modelsText, min: 16, drop: 1 },
];

function modelsText(point: SeriesPoint): string {
  const busiest = [...point.models].sort(([, a], [, b]) => b.tokens - a.tokens);
  return strange(busiest.map(([model, { tokens }]) => `${model} ${count(tokens)}`).join(', '));
}
