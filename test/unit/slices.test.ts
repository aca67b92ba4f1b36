import { expect, test } from 'vitest';

import { inTurns } from '#platform/slices.js';

test('others have a turn while much is worked on, whatever one thing costs', async () => {
  let turns = 0;
  let isOver = false;
  const other = () => {
    turns += 1;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  const seen: number[] = [];
  for await (const at of inTurns([1, 2, 3, 4, 5, 6])) {
    const began = performance.now();
    while (performance.now() - began < 15);
    seen.push(at);
  }
  isOver = true;
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect(turns).toBeGreaterThanOrEqual(2);
});

test('what has a time for all of it does at least one thing, and leaves the rest when that is over', async () => {
  const seen: number[] = [];
  for await (const at of inTurns([1, 2, 3, 4, 5, 6], 25)) {
    const began = performance.now();
    while (performance.now() - began < 15);
    seen.push(at);
  }
  expect(seen.length).toBeLessThan(4);
  const one: number[] = [];
  for await (const at of inTurns([1, 2], 0)) {
    const began = performance.now();
    while (performance.now() - began < 1);
    one.push(at);
  }
  expect(one).toEqual([1]);
});
