import fc from 'fast-check';
import { expect, test } from 'vitest';

import { instantText } from '#platform/subgraph/instant.js';
import { DateTime } from '#platform/subgraph/scalars.js';

test('a time is written as toISOString writes it, whatever was written before', () => {
  const near = fc.integer({ min: -200_000_000, max: 200_000_000 }).map((ms) => new Date(ms));
  const dates = fc.array(fc.oneof(fc.date({ noInvalidDate: true }), near), { maxLength: 20 });
  fc.assert(
    fc.property(dates, (all) => {
      expect(all.map(instantText)).toEqual(all.map((date) => date.toISOString()));
      expect(all.map((date) => DateTime.serialize(date))).toEqual(all.map((date) => date.toISOString()));
    }),
  );
  expect(() => instantText(new Date(Number.NaN))).toThrow(RangeError);
});

test('DateTime shows text that is as it shows times, and refuses what is no time', () => {
  expect(DateTime.serialize('2025-01-15T10:30:00.120Z')).toBe('2025-01-15T10:30:00.120Z');
  expect(DateTime.serialize('2025-01-15T10:30:00+02:00')).toBe('2025-01-15T08:30:00.000Z');
  for (const none of ['yesterday', '', new Date(Number.NaN), {}, true]) {
    expect(() => DateTime.serialize(none)).toThrow('DateTime');
  }
});
