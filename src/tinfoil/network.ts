/** What kept a request from being answered, by the error codes of Node's sockets, TLS, zlib and `fetch`. */

export interface NetworkFailure {
  readonly kind: 'network' | 'tls' | 'timeout';
  /** Such as `ECONNRESET`; null when there is none. */
  readonly code: string | null;
  /** False when no byte of the request can have reached the server. */
  readonly sent: boolean;
}

/** Before a connection stands, nothing is sent. */
const unconnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** A certificate that is not trusted ends the connection before the request; see Node's "X509 certificate error codes". */
const untrusted =
  /^(CERT_|ERR_TLS_CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;
const tlsTrouble = /^(ERR_TLS_|ERR_SSL_|EPROTO$)/;
const slow = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/;

export function networkFailure(thrown: unknown): NetworkFailure {
  const code = codeOf(thrown);
  if (code === null) return { kind: 'network', code, sent: true };
  if (untrusted.test(code)) return { kind: 'tls', code, sent: false };
  if (tlsTrouble.test(code)) return { kind: 'tls', code, sent: true };
  return { kind: slow.test(code) ? 'timeout' : 'network', code, sent: !unconnected.has(code) };
}

/** The first code on the way down the causes; `fetch` wraps the socket's error, which may be several. */
function codeOf(thrown: unknown): string | null {
  let error = thrown;
  for (let depth = 0; depth < 5 && error instanceof Error; depth += 1) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
    error = error instanceof AggregateError ? error.errors[0] : error.cause;
  }
  return null;
}
