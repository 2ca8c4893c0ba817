/** One line on standard error that says what is being waited for; on a terminal only, and only if it takes a while. */
import pc from 'picocolors';
import { fit } from './output.ts';
import type { Screen } from './world.ts';

export interface Progress {
  /** Replaces the line. */
  say(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

const patienceMs = 250;

/** A line that appears once `patienceMs` have gone by, so that quick answers do not flicker. */
export function createProgress(screen: Screen): Progress {
  const columns = screen.columns;
  if (columns === null) return { say: () => undefined, clear: () => undefined };
  const { dim } = pc.createColors(screen.colour);
  let latest = '';
  let drawn = false;
  let timer: NodeJS.Timeout | null = null;
  const draw = () => {
    drawn = true;
    screen.write(`\r\u001b[K${dim(fit(latest, columns - 1))}`);
  };
  return {
    say(text) {
      latest = text;
      if (drawn) draw();
      else timer ??= setTimeout(draw, patienceMs).unref();
    },
    clear() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (drawn) screen.write('\r\u001b[K');
      drawn = false;
    },
  };
}

/** Says `text` while `work` goes on. */
export async function during<T>(screen: Screen, text: string, work: () => Promise<T>): Promise<T> {
  const progress = createProgress(screen);
  progress.say(text);
  try {
    return await work();
  } finally {
    progress.clear();
  }
}
