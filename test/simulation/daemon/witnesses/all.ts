import { arrival, badEdits, noise, told } from './alerts.ts';
import { grounds, protection, silences } from './grounds.ts';
import { crashSafety, gentleStart, identity } from './identity.ts';
import { limits } from './limits.ts';
import { modes } from './modes.ts';
import { hands, notice } from './notice.ts';
import { hostileText, record, secrets } from './record.ts';
import type { Witness } from './witness.ts';

export const witnesses: readonly Witness[] = [
  ...[modes, grounds, protection, silences, limits, notice, hands, identity, crashSafety, gentleStart],
  ...[arrival, told, noise, badEdits, record, secrets, hostileText],
];
