/** Does in the simulated world what a plan says. */
import type { Faults } from '../../../src/sandbox/faults.ts';
import type { WorldKey } from '../../../src/sandbox/account-key.ts';
import type { World } from '../../../src/sandbox/world.ts';
import type { Ambushes } from './ambushes.ts';
import type { Chronicle } from './chronicle.ts';
import type { Disk } from './disk.ts';
import type { Perils } from './life.ts';
import type { NetworkWindow } from './network.ts';
import type { Deed, ReceiverTrouble } from './plan.ts';
import type { FileShape } from './policies.ts';
import type { Program } from './program.ts';
import type { Scheduler } from './scheduler.ts';
import { specOf } from './setting.ts';
import type { StateFile } from './state-file.ts';

/** All that a deed may touch. */
export interface Reach {
  readonly scheduler: Scheduler;
  readonly chronicle: Chronicle;
  readonly world: World;
  /** By number. */
  readonly keys: WorldKey[];
  readonly faults: Faults;
  readonly windows: Set<NetworkWindow>;
  readonly troubles: Map<string, ReceiverTrouble>;
  readonly disk: Disk;
  readonly perils: Perils;
  readonly clock: { offsetMs: number };
  readonly ambushes: Ambushes;
  readonly state: StateFile;
  readonly programs: Program[];
  readonly writeFile: (file: FileShape) => void;
  readonly replica: () => Program;
}

export interface Doer {
  act(deed: Deed): void;
  /** When the last trouble was over, or will be. */
  lastTroubleAt(): number;
}

export function doer(reach: Reach): Doer {
  const { scheduler, chronicle, world, keys, programs } = reach;
  let lastTroubleAt = 0;

  const openWhile = (forMs: number, open: () => () => void): void => {
    lastTroubleAt = Math.max(lastTroubleAt, scheduler.now() + forMs);
    scheduler.after(forMs, open());
  };
  const toKey = (number: number, what: (secret: string) => void): void => {
    const key = keys[number];
    if (key !== undefined) what(key.secret);
  };

  function act(deed: Deed): void {
    switch (deed.kind) {
      case 'rename':
        return toKey(deed.key, (secret) => world.renameByPerson(secret, deed.to));
      case 'create':
        keys.push(world.addKey(specOf(deed.key, false)));
        return;
      case 'delete':
        return toKey(deed.key, (secret) => world.deleteByPerson(secret));
      case 'spend':
        return toKey(deed.key, (secret) => spend(world, secret, deed.usd));
      case 'file':
        return reach.writeFile(deed.file);
      case 'fault':
        return openWhile(deed.forMs, () =>
          reach.faults.add({ endpoint: deed.endpoint, fault: deed.fault, probability: deed.chance }),
        );
      case 'network':
        return openWhile(deed.forMs, () => {
          reach.windows.add(deed);
          return () => void reach.windows.delete(deed);
        });
      case 'receiver':
        return openWhile(deed.forMs, () => {
          reach.troubles.set(deed.channel, deed.trouble);
          return () => void reach.troubles.delete(deed.channel);
        });
      case 'disk full':
        return openWhile(deed.forMs, () => {
          reach.disk.full = true;
          return () => void (reach.disk.full = false);
        });
      case 'crash': {
        lastTroubleAt = Math.max(lastTroubleAt, scheduler.now());
        const { point, onlyChanges, nth, downMs } = deed;
        return reach.perils.add({ which: point, onlyChanges, left: nth, downMs });
      }
      case 'ambush':
        return reach.ambushes.lay(deed);
      case 'stop':
        for (const program of programs) program.stop(deed.downMs);
        return;
      case 'replica':
        return openWhile(deed.forMs, () => {
          const replica = reach.replica();
          programs.push(replica);
          replica.start();
          return () => replica.retire();
        });
      case 'clock':
        reach.clock.offsetMs += deed.byMs;
        return chronicle.note({ kind: 'clock set', byMs: deed.byMs });
      case 'lose state':
        if (programs.some(({ runs }) => runs)) return;
        reach.state.lose();
        return chronicle.note({ kind: 'state lost' });
      default:
        return deed satisfies never;
    }
  }

  return { act, lastTroubleAt: () => lastTroubleAt };
}

function spend(world: World, secret: string, usd: number): void {
  if (world.find(secret)?.deletedAt !== null) return;
  const tokens = Math.round(usd * 1_000_000);
  world.spend(secret, { costMicroUsd: tokens, tokens, requests: 1 + Math.round(usd) }, 'gpt-oss-120b');
}
