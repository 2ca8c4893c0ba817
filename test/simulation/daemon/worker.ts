/** A thread that lives through seeds it is given, and tells what came of each. */
import { parentPort } from 'node:worker_threads';
import { liveThrough } from './rounds.ts';

parentPort?.on('message', (seeds: readonly number[]) => {
  void liveThrough(seeds).then((report) => parentPort?.postMessage(report));
});
