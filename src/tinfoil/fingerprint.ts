import { hash } from 'node:crypto';
import type { KeyId } from '../core/key.ts';

/** What a key is called wherever its secret must not appear: `k_` and 16 hex digits of its SHA-256. */
export function fingerprint(secret: string): KeyId {
  return `k_${hash('sha256', secret, 'hex').slice(0, 16)}`;
}
