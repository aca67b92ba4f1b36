import { expect, test } from 'vitest';

import { makeSlot } from '#platform/slot.js';

test('what is kept with an object is there for whoever has the slot, and not in copies of the object', () => {
  const [mine, theirs] = [makeSlot<string>(), makeSlot<number>()];
  const holder = Object.freeze({ id: 1 });
  const other = { id: 1 };
  expect(mine.get(holder)).toBeUndefined();
  mine.set(other, 'first');
  mine.set(other, 'second');
  theirs.set(other, 3);
  expect([mine.get(other), theirs.get(other), mine.get({ ...other })]).toEqual(['second', 3, undefined]);
  expect(Object.assign({}, other)).toEqual({ id: 1 });
  expect(Reflect.ownKeys(other)).toEqual(['id']);
  expect(JSON.stringify(other)).toBe('{"id":1}');
});
