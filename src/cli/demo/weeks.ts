/** A heading for every week, and what the account spent in the one before. */
import type { EpochMs } from '../../core/key.ts';
import { periodAt } from '../../core/periods.ts';
import type { World } from '../../sandbox/world.ts';
import type { Page } from './page.ts';
import { dayWords, money } from './words.ts';

const topSpenders = 3;

export interface Weeks {
  /** Tells of the week before and begins the one that `at` is in, unless that is done. */
  begin(at: EpochMs, page: Page): void;
}

export function createWeeks(world: World, timeZone: string): Weeks {
  let current: EpochMs | null = null;
  return {
    begin: (at, page) => {
      const start = periodAt({ kind: 'calendar', unit: 'week', timeZone, startsOn: 1 }, at).start ?? at;
      if (start === current) return;
      const before = current;
      current = start;
      page.rule(`Week of ${dayWords(start, timeZone)}`);
      if (before !== null) page.event({ at, tag: 'spent', ...spent(world, before, start, timeZone) });
    },
  };
}

function spent(world: World, from: EpochMs, to: EpochMs, timeZone: string): { text: string; detail: string } {
  const month = periodAt({ kind: 'calendar', unit: 'month', timeZone, startsOn: 1 }, to - 1).start ?? from;
  const shares = world
    .everyKey()
    .map((key) => ({ key, microUsd: costOf(world, key.secret, from, to) }))
    .sort((a, b) => b.microUsd - a.microUsd);
  const total = shares.reduce((sum, one) => sum + one.microUsd, 0);
  const top = shares.slice(0, topSpenders).map(({ key, microUsd }) => `${key.name} ${dollars(microUsd)}`);
  const monthTotal = world.everyKey().reduce((sum, key) => sum + costOf(world, key.secret, month, to), 0);
  const name = new Intl.DateTimeFormat('en-GB', { timeZone, month: 'long' }).format(month);
  return {
    text: `${dollars(total)} last week, ${dollars(monthTotal)} in ${name} so far`,
    detail: `Most by ${top.join(', ')}`,
  };
}

/** Usage is counted after `from`. */
function costOf(world: World, secret: string, from: EpochMs, to: EpochMs): number {
  return world.consumed(secret, from - 1, to - 1).costMicroUsd;
}

const dollars = (microUsd: number): string => money(microUsd).replace(/\.\d\d$/, '');
