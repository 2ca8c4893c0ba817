/** What happens in the worst moment: between a pass and the fresh look before a change, or just after a change. */
import type { Faults } from '../../../src/sandbox/faults.ts';
import type { World } from '../../../src/sandbox/world.ts';
import type { Chronicle } from './chronicle.ts';
import { noticedKeys } from './eyes.ts';
import type { Ambush } from './plan.ts';
import type { FileShape } from './policies.ts';

export interface Ambushes {
  lay(ambush: Ambush): void;
  /** A list is about to be read. */
  readonly onList: () => void;
  /** What a list says instead. */
  readonly alter: (list: string) => string;
  /** A pass is over, or the program is. */
  passOver(): void;
  /** Whether this change is to take effect but not be answered. */
  readonly isCut: () => boolean;
  /** Whether the program is to be started anew after this change. */
  restarts(): boolean;
}

export interface AmbushOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly chronicle: Chronicle;
  readonly writeFile: (file: FileShape) => void;
  /** No list is answered for a while. */
  readonly muteLists: () => void;
  /** Does that once the list is read. */
  readonly soon: (what: () => void) => void;
}

export function createAmbushes(options: AmbushOptions): Ambushes {
  const { world, faults, chronicle, writeFile, muteLists, soon } = options;
  let laid: Ambush[] = [];
  let lists = 0;
  let reborn = { secrets: new Set<string>(), lists: 0, at: '' };

  /** That ambush, which is over then; undefined: none was laid. */
  function take<B extends Ambush['by']>(by: B): Extract<Ambush, { by: B }> | undefined {
    const found = laid.find((one): one is Extract<Ambush, { by: B }> => one.by === by);
    laid = laid.filter((one) => one.by !== by);
    return found;
  }

  function onList(): void {
    lists += 1;
    // The second list of a pass is the fresh look before a change.
    if (lists < 2 || laid.length === 0) return;
    const reload = take('reload');
    if (reload !== undefined) writeFile(reload.file);
    const noticed = noticedKeys(chronicle);
    const living = world.keys().filter(({ id }) => noticed.has(id));
    if (living.length === 0) return;
    if (take('reborn') !== undefined)
      reborn = {
        secrets: new Set(living.map(({ secret }) => secret)),
        lists: 2,
        at: new Date(world.now).toISOString(),
      };
    if (take('shrunk list') !== undefined)
      faults.add({ endpoint: 'list', fault: { kind: 'shrunk-list', keep: 0.5 }, times: 4 });
    if (take('unread') !== undefined)
      faults.add({ endpoint: 'key-usage', fault: { kind: 'status', status: 500 }, times: 20 });
    const renames = take('rename') !== undefined;
    const renamesBack = take('rename and back') !== undefined;
    const uses = take('use') !== undefined;
    for (const { secret, name } of living) {
      if (renamesBack) {
        world.renameByPerson(secret, `for a moment ${String(chronicle.now())}`);
        soon(() => void world.renameByPerson(secret, name));
      }
      if (renames) world.renameByPerson(secret, `mine ${String(chronicle.now())}`);
      if (uses) world.spend(secret, { costMicroUsd: 10, tokens: 10, requests: 1 }, 'gpt-oss-120b');
    }
  }

  function alter(list: string): string {
    if (reborn.lists === 0) return list;
    reborn.lists -= 1;
    const rows = JSON.parse(list) as { key: string; created_at: string }[];
    return JSON.stringify(
      rows.map((row) => (reborn.secrets.has(row.key) ? { ...row, created_at: reborn.at } : row)),
    );
  }

  function isCut(): boolean {
    if (take('mute') === undefined) return take('cut') !== undefined;
    muteLists();
    return true;
  }

  return {
    lay: (ambush) => void laid.push(ambush),
    onList,
    passOver: () => {
      lists = 0;
    },
    alter,
    isCut,
    restarts: () => take('restart') !== undefined,
  };
}
