/** Which addresses a webhook may reach: the public internet, unless its channel says otherwise. */
import { lookup as dnsLookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** Ranges of the IANA special-purpose registries, and providers' metadata services outside them. */
const refusedV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];

/** Within 2000::/3, outside which no public address lies. */
const refusedV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const v4 = blockList(refusedV4, 'ipv4');
const v6 = blockList(refusedV6, 'ipv6');
const publicV6 = blockList(['2000::/3'], 'ipv6');
const mapped = blockList(['::ffff:0:0/96', '64:ff9b::/96'], 'ipv6');

function blockList(ranges: readonly string[], type: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/');
    list.addSubnet(net, Number(prefix), type);
  }
  return list;
}

/** True for an address of the public internet; IPv4 inside IPv6 is judged as IPv4. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !v4.check(address, 'ipv4');
    case 6: {
      // A zone (fe80::1%eth0) only ever belongs to a local address.
      if (address.includes('%')) return false;
      if (mapped.check(address, 'ipv6')) return !v4.check(lastFourBytes(address), 'ipv4');
      return publicV6.check(address, 'ipv6') && !v6.check(address, 'ipv6');
    }
    default:
      return false;
  }
}

/** The IPv4 address in the last 32 bits, in whichever way it is written. */
function lastFourBytes(address: string): string {
  // A URL's host is the canonical form, in which those bits are two hexadecimal groups.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':');
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The name resolves to an address that is not public, or is one. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Name resolution for a socket that gives public addresses only. The socket connects to what is
 * given here, so a name that resolves differently the next time gains nothing. A host that is an
 * address is not looked up: see `assertPublicHost`.
 */
export function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new PrivateAddressError('resolves to an address that is not public'), []);
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    callback(null, first?.address ?? '', first?.family);
  });
}

/** `hostname` as a URL has it: an IPv6 address in brackets. */
export function assertPublicHost(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host))
    throw new PrivateAddressError('is an address that is not public');
}
