/**
 * The log: one line an event on standard error, without secrets, and with strangers' text made harmless.
 */
import type { Logger } from 'pino';
import { redact } from './scrub.ts';
import type { Settings } from './settings.ts';

export type { Logger } from 'pino';

export interface LogSink {
  write(text: string): void;
  readonly colour: boolean;
}

/**
 * `json`: time as RFC 3339 in UTC, level by name. `pretty`: for eyes. In this process, without a worker
 * thread, so that the last line before an end is written.
 */
export async function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logFormat'>,
  sink: LogSink,
): Promise<Logger> {
  const [{ pino }, render] = await Promise.all([import('pino'), rendererOf(settings.logFormat, sink)]);
  const withStack = pino.levels.values[settings.logLevel] ?? Infinity;
  const facts = (error: unknown) => errorFacts(error, withStack <= debugLevel);
  return pino(
    {
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: facts, error: facts },
    },
    { write: (line: string) => sink.write(render(redact(line))) },
  );
}

const debugLevel = 20;

/** A JSON line → what is written. */
async function rendererOf(format: Settings['logFormat'], sink: LogSink): Promise<(line: string) => string> {
  if (format === 'json') return harmlessJson;
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: sink.colour,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    singleLine: true,
    // Errors are facts here; the library would print a stack of its own.
    errorLikeObjectKeys: [],
  });
  return (line) => pretty(shown(JSON.parse(line)));
}

/** The same value with every text such that a terminal only prints it. */
function shown(value: unknown): unknown {
  if (typeof value === 'string') return harmlessJson(value).replaceAll('\n', '\\n');
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [String(shown(name)), shown(inner)]),
  );
}

/** Control, format (bidirectional overrides, zero width), private and line separator characters. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * JSON text of which a terminal prints every character: those it would act on are escaped, which leaves
 * the value the same. Its own line breaks stay.
 */
function harmlessJson(json: string): string {
  return json.replace(invisible, (character) => {
    if (character === '\n') return character;
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

/** Chosen facts only: an error's other properties may be a request, a header, a whole answer. */
const factNames = ['kind', 'status', 'code', 'outcome', 'retryable', 'endpoint'] as const;

/** An error as the log has it: its name, message, known facts and causes. */
export function errorFacts(error: unknown, withStack: boolean, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: redact(String(error)) };
  const facts = factNames.flatMap((name): [string, unknown][] => {
    const value = (error as unknown as Record<string, unknown>)[name];
    return ['string', 'number', 'boolean'].includes(typeof value) ? [[name, value]] : [];
  });
  return {
    type: error.name,
    message: redact(error.message),
    ...Object.fromEntries(facts),
    ...(error.cause === undefined || depth === 4
      ? {}
      : { cause: errorFacts(error.cause, withStack, depth + 1) }),
    ...(withStack ? { stack: framesOf(error) } : {}),
  };
}

/** Where it was thrown, without the message, which strangers may have written. */
export function framesOf(error: Error): string[] {
  const { stack = '', message } = error;
  return stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}
