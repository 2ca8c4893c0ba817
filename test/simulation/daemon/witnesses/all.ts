import { arrival, badEdits, noise, repeats, told } from './alerts.ts';
import { oneActor, wholeReloads } from './actor.ts';
import { owners, quietHours, silencedAlerts } from './channels.ts';
import { figures } from './figures.ts';
import { grounds, protection, shrunkLists, silences } from './grounds.ts';
import { crashSafety, gentleStart, identity } from './identity.ts';
import { limits } from './limits.ts';
import { modes } from './modes.ts';
import { hands, notice } from './notice.ts';
import { oneMessage } from './messages.ts';
import { highest, oneAlone } from './picks.ts';
import { everyChannel } from './outbox.ts';
import { cancellations, heldOnRecord } from './decisions.ts';
import { record, seen } from './record.ts';
import { hostileBodies, hostileMails, hostileText } from './strangers.ts';
import type { Witness } from './witness.ts';

export const witnesses: readonly Witness[] = [
  ...[
    modes,
    grounds,
    protection,
    silences,
    shrunkLists,
    limits,
    notice,
    hands,
    identity,
    crashSafety,
    gentleStart,
  ],
  ...[
    arrival,
    everyChannel,
    told,
    noise,
    oneMessage,
    repeats,
    badEdits,
    record,
    heldOnRecord,
    cancellations,
    seen,
    hostileText,
    hostileMails,
    hostileBodies,
  ],
  ...[figures, highest, oneAlone, owners, quietHours, silencedAlerts, oneActor, wholeReloads],
];
