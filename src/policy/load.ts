/** A policy file's text into what everything else decides by, or into all that is wrong with it at once. */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../core/key.ts';
import type { ChangeLimits, Policy, PolicyFile, Silence } from '../core/policy.ts';
import { compileChannels, compileSmtp } from './compile-channels.ts';
import { compileRule } from './compile-rules.ts';
import { agesIn, compileSelection } from './compile-selectors.ts';
import { compileSteps } from './compile-steps.ts';
import { timeZone, type FileView } from './compile-values.ts';
import type { Environment } from './environment.ts';
import { faultsOf, type Fault, type Problem } from './faults.ts';
import type { RawPolicy, RawPolicyFile } from './schema.ts';
import { hiddenRanges } from './secrecy.ts';
import { guards, selects } from './selector.ts';
import { upwards } from './pointer.ts';
import { readSource, type Source } from './source.ts';
import { checkStructure } from './structure.ts';
import { rootView, type Report, type Spot, type View } from './view.ts';

export { environmentOf, type Environment } from './environment.ts';
export { formatFaults, formatWarnings, type Fault } from './faults.ts';

export type Loaded =
  | { readonly ok: true; readonly policy: PolicyFile; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** The longest file that is read, in bytes of UTF-8: such that a file with nothing but faults takes no second. */
export const maxFileBytes = 65_536;

const yearMs = 366 * 86_400_000;

/** Pure: the environment and the time are arguments. `fileName` is only named in faults. */
export function loadPolicy(text: string, fileName: string, environment: Environment, now: EpochMs): Loaded {
  const unreadable = unreadableProblem(text);
  if (unreadable !== null) return { ok: false, faults: faultsOf(fileName, '', [unreadable], []) };

  const source = readSource(text, environment);
  const [faults, warnings]: [Problem[], Problem[]] = [[...source.problems], []];
  let policy: PolicyFile | null = null;
  if (source.wellFormed) {
    const structure = checkStructure(source);
    faults.push(...structure.problems);
    policy = compileFile(rootView(source, structure), text, now, reportTo(source, faults, warnings));
  }
  const hidden = hiddenRanges(text, source.secrets, source.wellFormed);
  if (policy === null || faults.length > 0)
    return { ok: false, faults: faultsOf(fileName, text, faults, hidden) };
  return { ok: true, policy, warnings: faultsOf(fileName, text, warnings, hidden) };
}

function unreadableProblem(text: string): Problem | null {
  const problem = (message: string, hint: string | null = null) => ({
    pointer: '',
    offset: 0,
    message,
    hint,
  });
  if (Buffer.byteLength(text) > maxFileBytes)
    return problem('the file is larger than 64 KiB: is it the right one?');
  // eslint-disable-next-line no-control-regex -- these are the characters that no text file holds
  if (/[\0-\x08\x0e-\x1f\uFFFD]/.test(text))
    return problem('the file is not text in UTF-8: is it the right one?');
  if (text.split('\n').every((line) => /^\s*(#|$)/.test(line))) {
    return problem('the file is empty', 'a policy file has at least `version: 1` and `policies: []`');
  }
  return null;
}

function reportTo({ places }: Source, faults: Problem[], warnings: Problem[]): Report {
  const problem = ({ pointer }: Spot, message: string, hint: string | null = null): Problem => {
    const place = upwards(pointer).find((at) => places.has(at)) ?? '';
    return { pointer, offset: places.get(place)?.start ?? 0, message, hint };
  };
  return {
    fault: (spot, message, hint) => void faults.push(problem(spot, message, hint)),
    warn: (spot, message, hint) => void warnings.push(problem(spot, message, hint)),
  };
}

/** What a policy file's text is known by. */
export function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function compileFile(view: FileView, text: string, now: EpochMs, report: Report): PolicyFile {
  const zone = timeZone(view.at('timezone'), 'UTC', report);
  const smtp = compileSmtp(view.at('smtp'), report);
  const channels = compileChannels(view, zone, report);
  checkProtect(view, report);
  return {
    hash: hashOf(text),
    mode: view.at('mode').value ?? 'dry-run',
    timeZone: zone,
    smtp,
    channels,
    protect: view
      .at('protect')
      .items()
      .map((item) => guards(compileSelection(item, report))),
    limits: {
      delete: limitsOf(view.at('limits').at('delete'), { perRun: 3, perDay: 10, percent: 10 }),
      rename: limitsOf(view.at('limits').at('rename'), { perRun: 50, perDay: 200, percent: null }),
    },
    policies: compilePolicies(view, zone, report),
    silences: compileSilences(view, now, report),
  };
}

/** An empty list has to be written, so that nobody forgets to think of it. */
function checkProtect(view: FileView, report: Report): void {
  if (view.has('protect')) return;
  for (const step of view
    .at('policies')
    .items()
    .flatMap((policy) => policy.at('steps').items())) {
    const change = step.has('delete') ? 'delete' : 'rename';
    if (!step.has(change)) continue;
    const message = `a policy that ${change}s keys needs the list \`protect\` at the top of the file`;
    report.fault(
      step.at(change),
      message,
      'list the keys that must never be touched, or write `protect: []`',
    );
    return;
  }
}

type RawLimits = NonNullable<NonNullable<RawPolicyFile['limits']>['delete']>;

function limitsOf(view: View<RawLimits>, otherwise: ChangeLimits): ChangeLimits {
  return {
    perRun: view.at('per_run').value ?? otherwise.perRun,
    perDay: view.at('per_day').value ?? otherwise.perDay,
    percent: view.at('percent').value ?? otherwise.percent,
  };
}

function compilePolicies(file: FileView, zone: string, report: Report): Policy[] {
  const channels = file
    .at('channels')
    .entries()
    .map(([name]) => name);
  const names = new Set<string>();
  return file
    .at('policies')
    .items()
    .map((view) => {
      const name = view.at('name').value ?? '';
      if (names.has(name) && name !== '')
        report.fault(view.at('name'), `a second policy named ${view.at('name').quoted()}`);
      names.add(name);
      return compilePolicy(view, name, { zone, channels, report });
    })
    .filter((policy) => policy !== null);
}

interface PolicyContext {
  readonly zone: string;
  readonly channels: readonly string[];
  readonly report: Report;
}

const silent: Report = { fault: () => undefined, warn: () => undefined };

/** Null only with a fault: without a rule there is no policy. */
function compilePolicy(
  view: View<RawPolicy>,
  name: string,
  { zone, channels, report }: PolicyContext,
): Policy | null {
  const rule = compileRule(view, zone, report);
  const steps = compileSteps(view, channels, report);
  const select = selects(compileSelection(view.at('select'), report));
  // Its faults are told already.
  const ages = agesIn(view.at('select'), silent);
  const [description, mode] = [view.at('description').value ?? null, view.at('mode').value ?? null];
  return rule && { name, description, mode, select, ages, rule, steps };
}

function compileSilences(file: FileView, now: EpochMs, report: Report): Silence[] {
  return file
    .at('silences')
    .items()
    .map((view) => {
      const until = untilOf(view.at('until'), now, report);
      const written = view
        .at('suppress')
        .items()
        .flatMap(({ value }) => value ?? []);
      const suppress = written.length === 0 ? (['alerts', 'actions'] as const) : [...new Set(written)];
      const judge = compileSelection(view.at('select'), report);
      // Where it cannot be judged, holding an action back is the safe side; keeping an alert back is not.
      const select = suppress.includes('actions') ? guards(judge) : selects(judge);
      return { select, until, suppress, reason: view.at('reason').value ?? null };
    });
}

function untilOf(view: View<string>, now: EpochMs, report: Report): EpochMs {
  if (view.value === undefined) return now;
  const until = Date.parse(view.value);
  if (Number.isNaN(until)) report.fault(view, 'there is no such time');
  else if (until > now + yearMs) report.fault(view, 'a silence can end at most a year ahead');
  else if (until <= now)
    report.warn(view, 'this silence is over and holds nothing back', 'remove it, or give it a later end');
  return until;
}
