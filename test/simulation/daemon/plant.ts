/** Plants a fault in the program's own text as it is loaded. */
import { registerHooks } from 'node:module';
import { plantedFaults } from './planted-faults.ts';
import type { Edit } from './planted-faults.ts';

/** From now on what is loaded has the fault in it. Throws when the program's text is not what the fault was made for. */
export function plantFault(name: string): void {
  const planted = plantedFaults.find((fault) => fault.name === name);
  if (planted === undefined) throw new RangeError(`there is no planted fault named “${name}”`);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const edits = planted.edits.filter(({ file }) => url.endsWith(`/src/${file}`));
      if (edits.length === 0) return loaded;
      return { ...loaded, source: edits.reduce(edited, textOf(loaded.source)) };
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray | undefined): string {
  if (typeof source === 'string') return source;
  return source === undefined ? '' : new TextDecoder().decode(source);
}

function edited(text: string, { file, find, put }: Edit): string {
  if (text.split(find).length !== 2) throw new RangeError(`${file} does not have this once: ${find}`);
  return text.replace(find, () => put);
}
