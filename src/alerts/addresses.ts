/** Which e-mail addresses are written to: one plain mailbox, nothing that a header or a list could be made of. */
import { domainToASCII } from 'node:url';

/** RFC 5321, 4.5.3.1. */
const maxLocal = 64;
const maxAddress = 254;

/** RFC 5322 dot-atom: no quotes, comments, spaces, commas or display names. */
const dotAtom = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * The address with its domain in lower-case ASCII (an international one as Punycode), or null when
 * the text is anything but one address. A domain needs a dot unless `allowLocal`.
 */
export function parseAddress(text: string, options: { allowLocal: boolean }): string | null {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  if (local.length > maxLocal || !dotAtom.test(local)) return null;
  const domain = parseDomain(text.slice(at + 1), options.allowLocal);
  if (domain === null) return null;
  const address = `${local}@${domain}`;
  return address.length <= maxAddress ? address : null;
}

function parseDomain(text: string, allowLocal: boolean): string | null {
  // What a URL parser would read past: escapes, ports, paths, user names, brackets.
  if (/[^\p{L}\p{M}\p{N}.-]/u.test(text)) return null;
  const domain = domainToASCII(text);
  const labels = domain.split('.');
  if (!labels.every((one) => label.test(one))) return null;
  if (labels.length < 2 && !allowLocal) return null;
  // An address of a machine is not a mail domain.
  return /^\d+$/.test(labels.at(-1) ?? '') ? null : domain;
}

/**
 * The same for addresses, or lists of them, that differ in case alone. A server may tell “Ann” from “ann” by the
 * standard (RFC 5321, 2.4), but none in use gives them to two people: it is one reader, who gets one mail.
 */
export function mailboxOf(addresses: string): string {
  return addresses.toLowerCase();
}

/** `allowDomains` in any case, ASCII or not; subdomains are not included. */
export function domainAllowed(address: string, allowDomains: readonly string[]): boolean {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return allowDomains.some((allowed) => domainToASCII(allowed) === domain);
}
