import { setTimeout as sleep } from 'node:timers/promises';

/** Where the agent's time comes from; the shape of the panel's clock, so that one hand-moved clock serves both. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms` of this clock's time; rejects with the signal's reason when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. Its timers hold the process open: between two beats nothing else does. */
export const systemClock: Clock = {
  now: () => new Date(),
  delay: (ms, signal) => sleep(ms, undefined, { signal }),
};
