/** What looks at strangers' text with a pattern, over texts of up to 100,000 characters. */
import fc from 'fast-check';
import { parseAddress } from '../../src/alerts/addresses.ts';
import { display, quoted, reveal, shorten } from '../../src/alerts/compose/display.ts';
import { fit, strange } from '../../src/cli/output.ts';
import { visible, visibleJson } from '../../src/cli/terminal.ts';
import { Secret } from '../../src/core/secret.ts';
import { maxNameLength } from '../../src/core/names.ts';
import { globMatcher } from '../../src/policy/glob.ts';
import { parseTemplate, renameProblems } from '../../src/policy/template.ts';
import { parseDuration } from '../../src/policy/values.ts';
import { redact as scrub } from '../../src/scrub.ts';
import { parseHttpDate, retryAfterMs } from '../../src/tinfoil/retry-after.ts';
import { serverMessage } from '../../src/tinfoil/redact.ts';
import { parseTime } from '../../src/tinfoil/schemas.ts';
import { variables } from '../alerts/build.ts';
import { must, subject, type Subject } from './subject.ts';
import { hostileText, longText } from './texts.ts';

const secret = new Secret('admin_Very+Secret/Admin=Key');

/** Everything with a regular expression in it that gets to see such a text. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  display: (text) => display(text),
  quoted: (text) => quoted(text),
  reveal,
  shorten: (text) => shorten(text, 100),
  visible: (text) => visible(text),
  'visible, cut': (text) => visible(text, 100),
  visibleJson,
  strange,
  'fit to a column': (text) => fit(strange(text), 20),
  scrub,
  'a server’s words': (text) => serverMessage(text, [secret]),
  'an address': (text) => parseAddress(text, { allowLocal: false }),
  'a time': parseTime,
  'a date of HTTP': parseHttpDate,
  'Retry-After': (text) => retryAfterMs({ get: () => text }, 0),
  'a duration': parseDuration,
  'a template': (text) => parseTemplate(text),
  'a template of a name': renameProblems,
};

const template = fc
  .array(
    fc.constantFrom(
      '{{ name }}',
      '{{name}}',
      '{{ metadata.email }}',
      '{{ id }}',
      'OVER ',
      '-',
      '.',
      '{{ percent }}',
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

/** What a stranger's text is made into is a name that a key may have. */
function asName([source, text]: readonly [string, string]): void {
  const { template: parsed, problems } = parseTemplate(source);
  must(problems.length === 0, 'a template with problems', problems);
  const given = variables({ name: text, metadata: { email: text } });
  const rendered = parsed.renderName(given);
  must(rendered.ok, 'a template that does not render', rendered);
  const { text: name } = rendered;
  must(name.length > 0 && name.length <= maxNameLength, 'a name too long or empty', name);
  must(/^[A-Za-z0-9_. -]+$/.test(name), 'a name that no key can have', name);
  must(parsed.render(given).ok, 'a template that does not render');
}

const pattern = fc
  .array(fc.constantFrom('*', '?', 'a', 'b', '*a', '**', '🦊', '.', '(a+)+', '[', '\\'), { maxLength: 20 })
  .map((parts) => parts.join(''));

/** The plain way to ask the same, too slow for long texts. */
function matchesSlowly(wanted: readonly string[], given: readonly string[]): boolean {
  let reached = new Set([0]);
  for (const sign of wanted) {
    const next = new Set<number>();
    for (const at of reached) {
      if (sign === '*') for (let to = at; to <= given.length; to += 1) next.add(to);
      else if (at < given.length && (sign === '?' || sign === given[at])) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(given.length);
}

const shortText = fc
  .array(fc.constantFrom('a', 'b', '🦊', '.', '*', '\ud800', ' '), { maxLength: 12 })
  .map((parts) => parts.join(''));

export const patternSubjects: readonly Subject[] = [
  ...Object.entries(readers).map(([name, read]) =>
    subject(`patterns: ${name}`, fc.oneof(longText, hostileText), read, 0.2),
  ),
  subject('patterns: names made by templates', fc.tuple(template, hostileText), asName),
  subject(
    'patterns: wildcards over long texts',
    fc.tuple(pattern, longText),
    ([wanted, text]) => globMatcher(wanted)(text),
    0.5,
  ),
  subject('patterns: wildcards match what they say', fc.tuple(pattern, shortText), ([wanted, text]) =>
    must(globMatcher(wanted)(text) === matchesSlowly([...wanted], [...text]), 'another match', [
      wanted,
      text,
    ]),
  ),
];
