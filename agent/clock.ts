import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the agent's time comes from; the shape of the panel's clock, so that one hand-moved clock serves both. */
export interface Clock {
  /** The time of day, which somebody may set. */
  now(): Date;
  /**
   * Milliseconds since some moment, whatever the time of day is set to. A clock that nobody sets needs none: the time of
   * day tells as much.
   */
  elapsed?(): number;
  /** Resolves after `ms` of this clock's time; rejects with the signal's reason when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * The machine's clock. Its timers hold the process open: between two beats nothing else does. What has elapsed is told by
 * its uptime on Linux, which counts what it slept through as well; elsewhere that may follow the time of day.
 */
export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => (process.platform === 'linux' ? os.uptime() * 1000 : performance.now()),
  delay: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** How long ago things were is told by this, and never by the time of day. */
export function elapsedBy(clock: Clock): number {
  return clock.elapsed?.() ?? clock.now().getTime();
}
