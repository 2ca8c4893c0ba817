/** What is known of a small key, and of its account, for the tests of measuring. */
import type { Evidence, KeyEvidence } from '../../src/core/evidence.ts';
import { counters } from '../ledger/building.ts';

export function known(more: Partial<KeyEvidence> = {}): KeyEvidence {
  return {
    lifetime: { low: counters(0), high: counters(9) },
    ...{ because: null, credited: true, checked: true, windows: new Map(), individual: new Set() },
    ...{ models: { lifetime: null, windows: new Map() }, unchangedSince: null },
    quiet: { of: null, epoch: '', record: null, until: 0 },
    ...more,
  };
}

export function evidenceAt(at: number, more: Partial<Evidence> = {}): Evidence {
  return {
    ...{
      at,
      doneAt: at,
      marks: new Map(),
      unread: [],
      paces: new Map(),
      readAt: new Map(),
      unanswered: new Set(),
    },
    keys: new Map(),
    account: { lifetime: null, windows: new Map(), because: null },
    ...more,
  };
}
