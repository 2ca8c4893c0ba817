import { arrival, badEdits, mendedEdits, noise, repeats, told } from './alerts.ts';
import { oneActor, wholeReloads } from './actor.ts';
import { owners, quietHours, silencedAlerts } from './channels.ts';
import { figures } from './figures.ts';
import { freshLooks } from './fresh.ts';
import { grounds, protection, shrunkLists, silences } from './grounds.ts';
import { crashSafety, gentleStart, identity, lastNames, reborn } from './identity.ts';
import { limits, noneOverLimit } from './limits.ts';
import { modes, ownDryRuns } from './modes.ts';
import { hands, notice } from './notice.ts';
import { oneDigest, oneMessage } from './messages.ts';
import { everyChannel, shownUndelivered } from './outbox.ts';
import { heldOnce, pauses, prompt, troublesOnce, trueEnds } from './pace.ts';
import { highest, oneAlone } from './picks.ts';
import { planned, sameAgain } from './plans.ts';
import { cancellations, heldOnRecord } from './decisions.ts';
import { record, seen } from './record.ts';
import { hostileBodies, hostileMails, hostileText } from './strangers.ts';
import { endings, trueDeletions } from './tidings.ts';
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
  ...[ownDryRuns, sameAgain, planned, freshLooks, trueDeletions, endings, shownUndelivered, mendedEdits],
  ...[prompt, pauses, heldOnce, troublesOnce, trueEnds, oneDigest, noneOverLimit, lastNames, reborn],
];
