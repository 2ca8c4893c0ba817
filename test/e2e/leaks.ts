/** Finds secrets in whatever the program left behind. */

/** Of a secret that was cut off, what is left says too much from this length on. */
const longestPrefix = 12;

/** Of the whole and of its beginning, for what is cut short. */
export function formsOf(secret: string): readonly string[] {
  return [...new Set([secret, secret.slice(0, longestPrefix)].flatMap(encodingsOf))];
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The ways a text may be written: as it is, in a URL, in JSON, in HTML, in base64 at any of three offsets, in hex. */
function encodingsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last characters depend on what stands beside it.
    const middle = text.slice(offset === 0 ? 0 : offset + 1, -1);
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    secret.replace(/[&<>"']/g, (character) => entities[character] ?? ''),
    ...shifted,
    hex,
    hex.toUpperCase(),
  ];
}

export interface Trace {
  /** Where it was found. */
  readonly where: string;
  readonly bytes: Buffer;
}

/** Names of places and of the secrets found in them, such as `stderr of keywarden run: admin key`. */
export function leaks(
  traces: readonly Trace[],
  secrets: Readonly<Record<string, string>>,
): readonly string[] {
  const wanted = Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret).map((form) => [name, form] as const),
  );
  const found = traces.flatMap(({ where, bytes }) =>
    wanted.filter(([, form]) => bytes.includes(form)).map(([name]) => `${where}: ${name}`),
  );
  return [...new Set(found)];
}
