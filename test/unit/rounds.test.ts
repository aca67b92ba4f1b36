import { setImmediate } from 'node:timers/promises';

import { expect, test } from 'vitest';

import type { Clock } from '#platform/clock.js';
import { untilRound } from '#platform/rounds.js';

import { TestClock } from '../support/clock.js';

const never = new AbortController().signal;

/** Looks at its pace and notes when, in milliseconds from the beginning; each look takes `tookMs` of the clock. */
function looker(clock: TestClock, everyMs: number): number[] {
  const from = clock.now().getTime();
  const looks: number[] = [];
  const run = async () => {
    for (;;) {
      await untilRound(clock, everyMs, never);
      looks.push(clock.now().getTime() - from);
    }
  };
  void run();
  return looks;
}

test('those that look at different paces look in the same moments, each at its pace', async () => {
  const clock = new TestClock();
  const fast = looker(clock, 1_000);
  const slow = looker(clock, 3_000);
  await clock.advance(6_000);
  expect(fast).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
  expect(slow).toEqual([3_000, 6_000]);
});

test('who comes between two rounds waits for a round, up to a second less than its pause', async () => {
  const clock = new TestClock();
  const fast = looker(clock, 1_000);
  await clock.advance(2_300);
  const late = looker(clock, 5_000);
  await clock.advance(4_700);
  expect(fast.at(-1)).toBe(7_000);
  expect(late).toEqual([4_700]);
});

test('a stop ends the wait at once, and the next who waits begins anew', async () => {
  const clock = new TestClock();
  const ending = new AbortController();
  const waiting = untilRound(clock, 5_000, ending.signal);
  ending.abort();
  await waiting;
  await untilRound(clock, 5_000, ending.signal);
  await clock.advance(60_000);
  const looks = looker(clock, 1_000);
  await clock.advance(2_000);
  expect(looks).toEqual([1_000, 2_000]);
});

test('a clock that is set back by an hour holds nobody up', async () => {
  let [time, delays] = [0, 0];
  const clock: Clock = {
    now: () => new Date(time),
    delay: async (ms) => {
      delays += 1;
      time += delays === 5 ? ms - 3_600_000 : ms;
      await setImmediate();
    },
  };
  for (let look = 0; look < 10; look += 1) await untilRound(clock, 2_000, never);
  // Two rounds each, and the one that has begun.
  expect(delays).toBe(21);
});
