/** What the YAML parser complains of, in plain words that quote nothing of the file. */
import type { Document, ParsedNode, YAMLError } from 'yaml';
import type { Problem } from './faults.ts';

type ErrorCode = YAMLError['code'];

/** Where the library's own words would quote the text, or say little to a person who never read its grammar. */
const plainWords: Partial<Record<ErrorCode, readonly [message: string, hint: string | null]>> = {
  BAD_ALIAS: [
    'an alias (`*`) or anchor (`&`) without a proper name',
    'text that starts with `*` or `&` needs quotes',
  ],
  BAD_DIRECTIVE: ['a YAML directive that is not known', 'leave out the line that starts with `%`'],
  BAD_DQ_ESCAPE: [
    'an escape that double quotes do not know',
    "write a backslash as `\\\\`, or use single quotes: 'text'",
  ],
  BAD_SCALAR_START: ['text cannot start with this character', 'put the text in quotes'],
  MULTIPLE_DOCS: ['a second document starts here', 'a policy file is one document: remove the line `---`'],
  RESOURCE_EXHAUSTION: ['nested too deep to be read', null],
  TAB_AS_INDENT: ['a tab is used as indentation', 'use spaces'],
  TAG_RESOLVE_FAILED: ['tags (`!`) are not used in policy files', 'text that starts with `!` needs quotes'],
  UNEXPECTED_TOKEN: [
    'this is not valid YAML at this place',
    'look for a missing quote, comma or bracket just before',
  ],
};

/** A file that is no YAML can have one at every character. */
const maxComplaints = 1000;

export function syntaxProblems(document: Document.Parsed<ParsedNode>): Problem[] {
  const exhausted = document.errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  const complaints = exhausted === undefined ? [...document.errors, ...document.warnings] : [exhausted];
  const problems = complaints.slice(0, maxComplaints).map(problemOf);
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== '1.2') {
    problems.push({
      pointer: '',
      offset: 0,
      message: 'only YAML 1.2 is read',
      hint: 'leave out the %YAML line',
    });
  }
  return problems;
}

function problemOf(error: YAMLError): Problem {
  const [message, hint] = plainWords[error.code] ?? [
    `this is not valid YAML: ${firstLower(error.message)}`,
    null,
  ];
  return { pointer: '', offset: error.pos[0], message, hint };
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
