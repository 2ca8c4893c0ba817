/** Values that several parts of the file share, read with their limits. Zero stands in for what is refused. */
import type { RawPolicyFile } from './schema.ts';
import type { Template } from '../core/policy.ts';
import { nearest } from './nearest.ts';
import { parseTemplate, renameProblems, type TemplateProblem } from './template.ts';
import { isTimeZone, maxDurationMs, parseDuration } from './values.ts';
import type { Report, View } from './view.ts';

export type FileView = View<RawPolicyFile>;

/** Milliseconds. `positive`: 0 is refused, with this reason. */
export function durationMs(view: View<string>, report: Report, positive?: string): number {
  const ms = view.value === undefined ? null : parseDuration(view.value);
  if (ms === null) return 0;
  if (ms > maxDurationMs) report.fault(view, 'a duration can be at most ten years (3650d)');
  if (ms === 0 && positive !== undefined) report.fault(view, positive);
  return ms;
}

export function timeZone(view: View<string>, otherwise: string, report: Report): string {
  const name = view.value;
  if (name === undefined) return otherwise;
  if (isTimeZone(name)) return name;
  const meant = view.place?.fromEnvironment === true ? null : nearestTimeZone(name);
  const hint =
    meant === null ? 'for example UTC, Europe/Berlin, America/New_York' : `did you mean \`${meant}\`?`;
  report.fault(view, `${view.quoted()} is not the IANA name of a time zone`, hint);
  return otherwise;
}

/** "Berlin" means Europe/Berlin. */
function nearestTimeZone(name: string): string | null {
  const zones = Intl.supportedValuesOf('timeZone');
  const wanted = name.replaceAll(' ', '_').toLowerCase();
  return zones.find((zone) => zone.toLowerCase().endsWith(`/${wanted}`)) ?? nearest(name, [...zones, 'UTC']);
}

export function template(view: View<string>, use: 'address' | 'key name', report: Report): Template {
  const source = view.value ?? '';
  const parsed = parseTemplate(source);
  if (view.value === undefined) return parsed.template;
  const problems = [...parsed.problems, ...(use === 'key name' ? renameProblems(source) : [])];
  if (view.place?.fromEnvironment === true && problems.length > 0) {
    report.fault(view, `the value of ${view.quoted()} is not a proper ${use}`);
  } else {
    problems.forEach(({ message, hint }: TemplateProblem) => report.fault(view, message, hint));
  }
  return parsed.template;
}
