/** A thread that does what it is given, and tells what came of it. */
import { parentPort } from 'node:worker_threads';
import type { Work } from './crew.ts';
import { liveThrough } from './rounds.ts';
import { breakOffAt } from './sweep.ts';

parentPort?.on('message', (work: Work) => {
  const doing = work.kind === 'seeds' ? liveThrough(work.seeds, work.isBrief) : breakOffAt(work.all);
  void doing.then((result) => parentPort?.postMessage(result));
});
