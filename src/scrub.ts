/**
 * The last look at text before it leaves the process. Secrets travel as `Secret` and do not get here;
 * this is for those that come inside something else: a library's message, a command line, a key's name.
 */

// None of them matches a backslash, so that JSON text stays JSON.
const secretPatterns: readonly (readonly [RegExp, string])[] = [
  // API keys and admin keys: https://docs.tinfoil.sh, "prefixed with admin_", `tk_…` in every example.
  [/\b(tk|admin)_[A-Za-z0-9_-]{6,}/g, '[secret]'],
  // Standard Webhooks signing secrets.
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, '[secret]'],
  // Slack incoming webhooks: whoever has the URL can post.
  [/\bhttps:\/\/hooks\.slack(?:-gov)?\.com\/[^\s"'<>\\]+/g, 'https://hooks.slack.com/[secret]'],
  // User name and password of a URL.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>\\]+@/gi, '$1[secret]@'],
  [/\b(Bearer\s+)[^\s"',\\]+/gi, '$1[secret]'],
];

/** The text with everything that is shaped like a secret replaced by `[secret]`. */
export function redact(text: string): string {
  return secretPatterns.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
}
