/** How many calls the last minute had. */
import { expect, test } from 'vitest';
import { createCallMeter } from '../src/call-meter.ts';
import { minute, monday } from './core/story.ts';

function meterAt() {
  let now = monday;
  const meter = createCallMeter({ now: () => now });
  const call = (times: number): void => {
    for (let nth = 0; nth < times; nth += 1) meter.count();
  };
  return { meter, call, move: (ms: number) => void (now += ms) };
}

test('a call counts for a minute, to the millisecond', () => {
  const { meter, call, move } = meterAt();
  expect(meter.left(60)).toBe(60);
  call(20);
  move(minute / 2);
  call(15);
  expect(meter.left(60)).toBe(25);
  move(minute / 2 - 1);
  expect(meter.left(60)).toBe(25);
  move(1);
  expect(meter.left(60)).toBe(45);
});

test('there is always one left: a program that may ask nothing decides nothing', () => {
  const { meter, call } = meterAt();
  call(60);
  expect(meter.left(60)).toBe(1);
  call(10);
  expect(meter.left(60)).toBe(1);
});

test('more calls fit into a minute once as many as they take are older than one', () => {
  const { meter, call, move } = meterAt();
  expect(meter.freeAt(6, 60)).toBe(monday);
  call(30);
  move(minute / 2);
  call(24);
  expect(meter.freeAt(6, 60)).toBe(monday + minute / 2);
  call(1);
  expect(meter.freeAt(6, 60)).toBe(monday + minute);
  call(35);
  expect(meter.freeAt(6, 60)).toBe(monday + 1.5 * minute);
  // More than a minute ever has: once it had none.
  expect(meter.freeAt(6, 5)).toBe(monday + 1.5 * minute);
  move(minute);
  expect(meter.freeAt(6, 5)).toBe(monday + 1.5 * minute);
});

test('a clock that was set back makes no call count for longer than a minute', () => {
  const { meter, call, move } = meterAt();
  call(60);
  move(-40 * 24 * 60 * minute);
  expect(meter.left(60)).toBe(60);
  call(5);
  move(minute);
  expect(meter.left(60)).toBe(60);
});
