import { setTimeout as sleep } from 'node:timers/promises';

import type { TestClock } from '../../support/clock.js';

// Shorter than what a panel takes for a sleep of its machine, and as long as between two looks of its sweeps.
const strideMs = 5_000;

/**
 * Moves time on by minutes: the panel's loops wake once in a stride, and not each second, and what was woken gets real
 * time before the next one.
 */
export async function stride(clock: TestClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= strideMs) {
    await clock.leap(Math.min(strideMs, left));
    await sleep(10);
  }
}
