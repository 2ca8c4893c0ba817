/** What is used of Stryker's report. */
export interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>;
}

export interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

interface Score {
  noticed: number;
  missed: number;
}

/** The score of each room and file, and each mutant that no test noticed: what is counted, and what is left to do. */
export function table({ files }: Report): string {
  const lines: string[] = [];
  const rooms = new Map<string, Score>();
  const all: Score = { noticed: 0, missed: 0 };
  for (const [file, { mutants }] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const room = file.split('/').slice(0, -1).join('/');
    const score = rooms.get(room) ?? { noticed: 0, missed: 0 };
    rooms.set(room, score);
    const own = scoreOf(mutants);
    for (const sum of [score, all]) {
      sum.noticed += own.noticed;
      sum.missed += own.missed;
    }
    lines.push(lineOf(file, own), ...mutants.filter(isMissed).map(mutantLine));
  }
  const totals = [...rooms].map(([room, score]) => lineOf(room, score));
  return ['', ...lines, '', ...totals, lineOf('all', all), ''].join('\n');
}

function scoreOf(mutants: readonly Mutant[]): Score {
  return {
    noticed: mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length,
    missed: mutants.filter(isMissed).length,
  };
}

function isMissed({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function lineOf(name: string, { noticed, missed }: Score): string {
  const all = noticed + missed;
  const percent = all === 0 ? '–' : `${((noticed / all) * 100).toFixed(1)} %`;
  return `${percent.padStart(8)}  ${String(noticed)} of ${String(all)}  ${name}`;
}

function mutantLine({ location, mutatorName, replacement = '' }: Mutant): string {
  const { line, column } = location.start;
  const becomes = replacement.replaceAll(/\s+/g, ' ').slice(0, 70);
  return `              ${String(line)}:${String(column)} ${mutatorName} → ${becomes}`;
}
