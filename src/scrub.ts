/**
 * The last look at text before it leaves the process. Secrets travel as `Secret` and do not get here;
 * this is for those that come inside something else: a library's message, a command line, a key's name.
 */
import type { Secret } from './core/secret.ts';

// None of them matches a backslash, so that JSON text stays JSON.
const secretPatterns: readonly (readonly [RegExp, string])[] = [
  // API keys and admin keys: https://docs.tinfoil.sh, "prefixed with admin_", `tk_…` in every example.
  [/\b(tk|admin)_[A-Za-z0-9_-]{6,}/g, '[secret]'],
  // Standard Webhooks signing secrets.
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, '[secret]'],
  // Slack incoming webhooks: whoever has the URL can post.
  [/\bhttps:\/\/hooks\.slack(?:-gov)?\.com\/[^\s"'<>\\]+/g, 'https://hooks.slack.com/[secret]'],
  // User name and password of a URL. The scheme's length is bounded: else a long text of dots takes its square.
  [/\b([a-z][a-z0-9+.-]{0,40}:\/\/)[^\s/@"'<>\\]+@/gi, '$1[secret]@'],
  [/\b(Bearer\s+)[^\s"',\\]+/gi, '$1[secret]'],
];

/** Shorter ones would be found in other words; and a short path says nothing. */
const shortestHidden = 8;
const shortestPath = 16;
/** The longest first: of one that another begins with, the rest is not to be left standing. */
let hidden: readonly string[] = [];

/** From now on the secret is taken out by its value as well, and of a URL its path, query and password. */
export function hide(secret: Secret): void {
  const value = secret.reveal();
  const url = URL.parse(value);
  const path = url === null ? '' : url.pathname + url.search;
  const logins = url === null ? [] : [url.password, decoded(url.password)];
  const found = [
    ...[path].filter(({ length }) => length >= shortestPath),
    ...[value, encodeURIComponent(value), ...logins]
      .filter(({ length }) => length >= shortestHidden)
      // A line of the log is JSON already when it is searched.
      .flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]),
  ];
  hidden = [...new Set([...hidden, ...found])].sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The text with every hidden secret, and everything that is shaped like one, replaced by `[secret]`. */
export function redact(text: string): string {
  let rest = text;
  for (const secret of hidden) rest = rest.replaceAll(secret, '[secret]');
  return secretPatterns.reduce((left, [pattern, instead]) => left.replace(pattern, instead), rest);
}
