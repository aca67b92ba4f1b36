import { pino } from 'pino';
import { expect, test } from 'vitest';

import { ClockSkew } from '#platform/membership/clock-skew.js';

test('a clock that is off by more than the way of an answer is told once, by how much and to which side, and again only after it was right', () => {
  const said: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => said.push(JSON.parse(line).msg) });
  const skew = new ClockSkew(logger);
  const at = 1_800_000_000_000;
  // The answer took twenty seconds, and may have been made at any moment of them.
  skew.note(at, at - 10_000, at + 10_000);
  expect([skew.seconds, skew.problem]).toEqual([0, undefined]);
  const ahead =
    "the clock of this process is 90 s ahead of the database's: set both by NTP, or tokens will be refused";
  skew.note(at, at + 90_000, at + 90_010);
  skew.note(at, at + 90_000, at + 90_010);
  expect([skew.seconds, skew.problem, said]).toEqual([90, ahead, [ahead]]);
  skew.note(at, at, at + 5);
  skew.note(at, at - 70_010, at - 70_000);
  expect(skew.seconds).toBe(-70);
  expect(said.slice(1)).toEqual([
    "the clock of this process is 70 s behind the database's: set both by NTP, or tokens will be refused",
  ]);
});
