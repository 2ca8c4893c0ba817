import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAddress,
  isSender,
  isTimeZone,
  isUrl,
  parseDays,
  parseDuration,
  parseHours,
  parsePercent,
  parseWeekday,
} from '../../src/policy/values.ts';

describe('durations', () => {
  it('are a whole number of one unit', () => {
    const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
    const unit = fc.constantFrom('s', 'm', 'h', 'd', 'w');
    fc.assert(
      fc.property(fc.nat(999_999_999), unit, (count, name) => {
        expect(parseDuration(`${String(count)}${name}`)).toBe(count * seconds[name] * 1000);
      }),
    );
  });

  it.each([
    '',
    '5',
    's',
    '-5s',
    '1.5h',
    '1h30m',
    ' 5s',
    '5 s',
    '5S',
    '5y',
    '1e3s',
    '٣s',
    '1234567890s',
    '5s\n',
  ])('but not %j', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('are never anything else, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseDuration(text) === null).toBe(!/^[0-9]{1,9}[smhdw]$/.test(text));
      }),
    );
  });
});

it.each([
  ['80%', 80],
  ['12.5%', 12.5],
  ['0%', 0],
  ['1000%', 1000],
  ['12.3456%', 12.3456],
  ['80', null],
  ['80%!', null],
  ['80 %', null],
  ['-1%', null],
  ['.5%', null],
  ['1e2%', null],
])('percent %j is %j', (text, percent) => {
  expect(parsePercent(text)).toBe(percent);
});

it('reads hours as minutes after midnight', () => {
  expect(parseHours('22:30-07:05')).toEqual({ from: 1350, to: 425 });
  for (const other of ['22:30', '122:30-07:05', '22:30-07:055']) expect(parseHours(other)).toBeNull();
});

it.each([
  ['sat', [6]],
  ['mon-fri', [1, 2, 3, 4, 5]],
  ['sat-mon', [6, 7, 1]],
  ['sun-sat', [7, 1, 2, 3, 4, 5, 6]],
  ['mon-mon', [1]],
  ['monday', null],
  ['mon-x', null],
  ['x-mon', null],
  ['', null],
])('days %j are %j', (text, days) => {
  expect(parseDays(text)).toEqual(days);
});

it('counts weekdays as ISO 8601 does', () => {
  expect(parseWeekday('mon')).toBe(1);
  expect(parseWeekday('sun')).toBe(7);
  expect(parseWeekday('Sun')).toBeNull();
});

it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

it.each(['', '+02:00', 'Berlin', 'Europe', 'Europe/Berlin ', 'CET+1', 'PST', 'IST', 'JST', '${TZ}'])(
  '%j is no time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);

it.each(['ops@example.com', 'a+b@sub.example.com', 'jürgen@bücher.example'])('%s is an address', (text) => {
  expect(isAddress(text)).toBe(true);
  expect(isSender(`Ops <${text}>`)).toBe(true);
});

it.each(['', 'ops', '@b', 'a@', 'a@b@c', 'a b@c', 'a@b, c@d', 'A <a@b>', 'a@b\nBcc: c@d'])(
  '%j is no address',
  (text) => {
    expect(isAddress(text)).toBe(false);
  },
);

it.each(['Ops', 'Ops <ops>', 'Ops <a@b> x', 'Ops\r\nBcc: <a@b>'])('%j is no sender', (text) => {
  expect(isSender(text)).toBe(false);
});

it('takes URLs of the given schemes only', () => {
  expect(isUrl('https://h/x', ['https:'])).toBe(true);
  expect(isUrl('http://h/x', ['https:'])).toBe(false);
  expect(isUrl('not a URL', ['https:'])).toBe(false);
});
