/** Limits on how long something may take run in the simulation's time, too; and nothing is left to real chance. */
import type { Scheduler } from './scheduler.ts';
import { epoch } from './setting.ts';

const timedOut = new DOMException('The operation was aborted due to timeout', 'TimeoutError');

export function virtualTime(scheduler: Scheduler): Disposable {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const random = Math.random.bind(Math);
  const dateNow = Date.now.bind(Date);
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    scheduler.after(ms, () => {
      controller.abort(timedOut);
    });
    return controller.signal;
  };
  Math.random = () => {
    throw new Error('chance that is not the simulation’s');
  };
  Date.now = () => epoch + scheduler.now();
  return {
    [Symbol.dispose]: () => {
      AbortSignal.timeout = timeout;
      Math.random = random;
      Date.now = dateNow;
    },
  };
}
