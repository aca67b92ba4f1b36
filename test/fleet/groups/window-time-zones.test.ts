import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { WindowEffect, WindowRepeat } from '#subgraphs/fleet/maintenance/window.entity.js';
import {
  closesAt,
  isOpen,
  isTimeZone,
  nextOpensAt,
  type WindowTimes,
} from '#subgraphs/fleet/maintenance/window.rules.js';

const minute = 60_000;
const quarter = 15 * minute;
const hour = 60 * minute;
const day = 24 * hour;

const daily = (timeZone: string, startsAt: string, durationMinutes = 60): WindowTimes => ({
  effect: WindowEffect.DENY,
  repeats: WindowRepeat.DAILY,
  startsAt: new Date(startsAt),
  durationMinutes,
  timeZone,
});
const next = (window: WindowTimes, after: string) => nextOpensAt(window, new Date(after))?.toISOString();

describe('a window comes again by the clocks of its zone', () => {
  test.for([
    // Half past two at night.
    ['winter', 'Europe/Berlin', '2026-03-20T01:30:00Z', '2026-03-27T12:00:00Z', '2026-03-28T01:30:00.000Z'],
    ['summer', 'Europe/Berlin', '2026-03-20T01:30:00Z', '2026-06-01T12:00:00Z', '2026-06-02T00:30:00.000Z'],
    [
      'an hour that does not exist: when the next one begins',
      'Europe/Berlin',
      '2026-03-20T01:30:00Z',
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'an hour that exists twice: the first time',
      'Europe/Berlin',
      '2026-03-20T01:30:00Z',
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:30:00.000Z',
    ],
    [
      'an hour that exists twice: not the second time',
      'Europe/Berlin',
      '2026-03-20T01:30:00Z',
      '2026-10-25T00:31:00Z',
      '2026-10-26T01:30:00.000Z',
    ],
    [
      'half an hour that does not exist',
      'Australia/Lord_Howe',
      '2026-09-20T15:45:00Z',
      '2026-10-03T12:00:00Z',
      '2026-10-03T15:30:00.000Z',
    ],
    [
      'no summer time',
      'Asia/Kathmandu',
      '2026-01-01T20:15:00Z',
      '2026-07-01T00:00:00Z',
      '2026-07-01T20:15:00.000Z',
    ],
    [
      'a day that does not exist: when the next one begins',
      'Pacific/Apia',
      '2011-12-20T13:00:00Z',
      '2011-12-30T00:00:00Z',
      '2011-12-30T10:00:00.000Z',
    ],
  ] as const)('%s', ([, zone, first, after, expected]) => {
    expect(next(daily(zone, first), after)).toBe(expected);
  });

  test('one that is not over when it comes again, on a short day, is open until the end of the last that begins so', () => {
    const window = daily('Europe/Berlin', '2026-03-20T01:30:00Z', 24 * 60 - 1);
    const at = new Date('2026-03-29T00:59:30Z');
    expect([isOpen(window, at), closesAt(window, at)?.toISOString()]).toEqual([
      true,
      '2026-03-31T00:29:00.000Z',
    ]);
  });

  test('one that was asked for in the second of two hours begins there', () => {
    const window = daily('Europe/Berlin', '2026-10-25T01:30:00Z');
    expect([
      isOpen(window, new Date('2026-10-25T00:40:00Z')),
      isOpen(window, new Date('2026-10-25T01:40:00Z')),
      next(window, '2026-10-25T02:00:00Z'),
    ]).toEqual([false, true, '2026-10-26T01:30:00.000Z']);
  });

  test('one that is over is so for good', () => {
    const once = { ...daily('Europe/Berlin', '2026-03-20T01:30:00Z'), repeats: WindowRepeat.NEVER };
    const at = new Date('2026-03-20T02:30:00Z');
    expect([isOpen(once, at), closesAt(once, at), nextOpensAt(once, at)]).toEqual([false, null, null]);
  });
});

test('names of zones are told from offsets and from words', () => {
  const names = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'];
  expect(names.filter((name) => !isTimeZone(name))).toEqual([]);
  const others = [
    '',
    '+01:00',
    '-0500',
    'Berlin',
    'Europe/Nowhere',
    '2026-03-20T01:30:00Z[Europe/Berlin]',
    'a'.repeat(99),
  ];
  expect(others.filter(isTimeZone)).toEqual([]);
});

/** Times of day in a zone by the runtime's own tables, as texts that sort. */
function clockOf(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (at) => format.format(at);
}

// Around the days on which each of them moves its clocks.
const edges: Record<string, readonly string[]> = {
  'Europe/Berlin': ['2026-03-29', '2026-10-25'],
  'America/New_York': ['2026-03-08', '2026-11-01'],
  'Australia/Lord_Howe': ['2026-04-05', '2026-10-04'],
  'Asia/Kathmandu': ['2026-06-01'],
  'Pacific/Apia': ['2011-12-30', '2012-04-01'],
};
const edge = fc.constantFrom(
  ...Object.entries(edges).flatMap(([zone, days]) => days.map((at) => [zone, at] as const)),
);

test('around any change of clocks a window opens the first time that it is as late as it says, and only then', () => {
  fc.assert(
    fc.property(
      edge,
      fc.nat({ max: 95 }),
      fc.integer({ min: 1, max: 80 }),
      fc.constantFrom(WindowRepeat.DAILY, WindowRepeat.WEEKLY),
      fc.nat({ max: 13 }),
      ([timeZone, date], startQuarter, quarters, repeats, daysBefore) => {
        const clock = clockOf(timeZone);
        const around = Date.parse(`${date}T00:00:00Z`);
        const startsAt = around - day * daysBefore - 3 * day + startQuarter * quarter;
        const window: WindowTimes = {
          effect: WindowEffect.ALLOW,
          repeats,
          startsAt: new Date(startsAt),
          durationMinutes: quarters * 15,
          timeZone,
        };
        // By looking at the clock every quarter of an hour, and by nothing else.
        const [firstDate, time] = clock(startsAt).split(' ') as [string, string];
        const step = (repeats === WindowRepeat.DAILY ? 1 : 7) * day;
        const openings = [startsAt];
        for (let nth = 1; nth * step <= 24 * day; nth += 1) {
          const wanted = `${new Date(Date.parse(`${firstDate}T00:00:00Z`) + nth * step).toISOString().slice(0, 10)} ${time}`;
          let at = startsAt + nth * step - 26 * hour;
          while (clock(at) < wanted) at += quarter;
          openings.push(at);
        }
        const length = quarters * quarter;
        for (let now = around - 2 * day; now < around + 3 * day; now += 3 * quarter + 7 * minute) {
          const open = openings.filter((at) => at <= now && now < at + length);
          expect(isOpen(window, new Date(now))).toBe(open.length > 0);
          const coming = openings.find((at) => at > now);
          expect(nextOpensAt(window, new Date(now))?.getTime()).toBe(coming);
          expect(closesAt(window, new Date(now)) !== null).toBe(open.length > 0);
        }
      },
    ),
    { numRuns: 40 },
  );
});
