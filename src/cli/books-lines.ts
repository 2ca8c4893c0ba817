/** The account's books as lines of a plan, for a narrow terminal too. */
import type { Level } from '../core/alert.ts';
import type { Books, Rate, Rates } from '../core/books.ts';
import type { Known } from '../core/key.ts';
import { amountWords, durationWords, minuteWords } from '../core/words.ts';
import { count, strange } from './output.ts';

export function booksLines({ spent, billed, rates }: Books): string[] {
  return [
    ...fact('spent', spent, (level) => [line('spent', levelWords(level))]),
    ...fact('billed', billed, ({ invoiced, charged, other, pending }) => [
      line('invoiced', usd(invoiced)),
      line('charged', usd(charged)),
      ...(other === 0 ? [] : [line('other', usd(other))]),
      ...(pending === 0 ? [] : [line('pending', usd(pending))]),
    ]),
    ...fact('rate', rates, rateLines),
  ];
}

function fact<T>(name: string, known: Known<T>, lines: (value: T) => string[]): string[] {
  return known.known ? lines(known.value) : [line(name, 'unknown'), `  ${strange(known.because)}`];
}

function line(name: string, text: string): string {
  return `${name.padEnd(9)} ${text}`;
}

function usd(micro: number): string {
  return amountWords(micro, 'cost').replace('$-', '-$');
}

function levelWords({ low, high }: Level): string {
  if (high === low) return usd(low);
  return high === null ? `at least ${usd(low)}` : `between ${usd(low)} and ${usd(high)}`;
}

function rateLines({ lastDay, latest }: Rates): string[] {
  const day = line('last 24 h', rateWords(lastDay));
  if (latest === null) return [day];
  const length = durationWords(latest.to - latest.from);
  return [
    day,
    line('latest', rateWords(latest)),
    line('', `in the ${length} from ${minuteWords(latest.from)}`),
  ];
}

function rateWords({ tokensPerHour, requestsPerHour }: Rate): string {
  return `${rounded(tokensPerHour)} tokens/h, ${rounded(requestsPerHour)} requests/h`;
}

/** Whole, but where that would hide what little there is. */
function rounded(rate: number): string {
  return rate < 10 ? String(Math.round(rate * 100) / 100) : count(Math.round(rate));
}
