import { setTimeout as sleep } from 'node:timers/promises';

/** Where time comes from. Everything that asks "when" or waits takes one, so that tests can move it by hand. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms` of this clock's time; rejects with the signal's reason when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  delay: (ms, signal) => sleep(ms, undefined, { signal, ref: false }),
};
