/** A notice runs for as long as time has surely passed, whatever clocks say. */
import { expect, test } from 'vitest';
import type { Sight } from '../../src/ledger/look.ts';
import { acceptedSince, noticesMeta, runningSince } from '../../src/ledger/notices.ts';
import { day, hour, minute, monday } from '../core/story.ts';

/** A look by the clock `at`, so long after the last one as far as is known; null: the clock is doubted. */
function sight(at: number, elapsedMs: number | null): Sight {
  const clock =
    elapsedMs === null ? { trusted: false, because: 'it was set' } : { trusted: true, elapsedMs, setByMs: 0 };
  return { at, clock } as Sight;
}

function memory(meta: Readonly<Record<string, string>>, ...accepted: readonly string[]) {
  return { meta: new Map(Object.entries(meta)), accepted: new Set(accepted) };
}

/** Look by look: what is remembered, and since when the notice `n` runs. */
function story(...looks: readonly (readonly [at: number, elapsedMs: number | null])[]): number[] {
  let known = memory({}, 'n');
  return looks.map(([at, elapsedMs]) => {
    const running = runningSince(known, sight(at, elapsedMs));
    known = memory(noticesMeta(known, sight(at, elapsedMs), running), 'n');
    return running.get('n') ?? NaN;
  });
}

test('a notice runs from the first look on that knows of it', () => {
  expect(story([monday, minute], [monday + hour, hour])).toEqual([monday, monday]);
});

test('a clock that was set forward makes no notice shorter, and one that was set back none longer', () => {
  const back = monday - day;
  expect(story([monday, 0], [monday + day, hour], [monday + day + hour, hour])).toEqual([
    monday,
    monday + day - hour,
    monday + day - hour,
  ]);
  expect(story([monday, 0], [back, 0], [back + hour, hour])).toEqual([monday, back, back]);
});

test('a clock that is doubted lets no time pass', () => {
  expect(story([monday, minute], [monday + day, null], [monday + day + hour, hour])).toEqual([
    monday,
    monday + day,
    monday + day,
  ]);
});

test('only notices that a channel accepted run', () => {
  const remembered = memory({ elapsedMs: '5', notices: '{"n":3,"m":4}' }, 'm');
  expect(runningSince(remembered, sight(monday, 10))).toEqual(new Map([['m', monday - 11]]));
  expect(noticesMeta(remembered, sight(monday, 10), new Map([['m', monday - 11]]))).toEqual({
    elapsedMs: '15',
    notices: '{"m":4}',
  });
});

test('one that is accepted after the last look runs from the latest instant at which that can have been', () => {
  const remembered = memory({ elapsedMs: '100', notices: '{"n":3}' }, 'n', 'm');
  const { notices } = acceptedSince(remembered, 20);
  expect(JSON.parse(notices ?? '')).toEqual({ n: 3, m: 120 });
  expect(acceptedSince(memory({}, 'm'), 20)).toEqual({ notices: '{"m":20}' });
});
