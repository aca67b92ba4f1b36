import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { inOrder, lastWeek, weekdayOf, weekdays, weeksOf } from '#subgraphs/fleet/maintenance/recurrence.js';
import { Weekday, WindowEffect, WindowRepeat } from '#subgraphs/fleet/maintenance/window.entity.js';
import {
  closesAt,
  isOpen,
  isTimeZone,
  mayBegin,
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
  days: null,
  weekOfMonth: null,
  endsAt: null,
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

  test.for([
    ['after Friday', '2026-03-06T22:00:00Z', '2026-03-09T22:00:00.000Z'],
    ['within a week', '2026-03-09T23:00:00Z', '2026-03-10T22:00:00.000Z'],
    ['up to its end', '2026-03-19T23:00:00Z', '2026-03-20T22:00:00.000Z'],
    ['not beyond it', '2026-03-20T22:00:00Z', undefined],
  ] as const)('on the days of a working week: %s', ([, after, expected]) => {
    const window: WindowTimes = {
      ...daily('UTC', '2026-03-02T22:00:00Z'),
      repeats: WindowRepeat.WEEKLY,
      days: weekdays.slice(0, 5),
      endsAt: new Date('2026-03-23T22:00:00Z'),
    };
    expect(next(window, after)).toBe(expected);
  });

  test.for([
    // In Tokyo it is Tuesday by then.
    ['the second Tuesday', '2026-03-09T20:00:00Z', [2], '2026-04-13T20:00:00.000Z'],
    ['the last Tuesday, the fourth', '2026-02-23T20:00:00Z', [4, lastWeek], '2026-03-30T20:00:00.000Z'],
    ['the last Tuesday, a fifth', '2026-03-30T20:00:00Z', [lastWeek], '2026-04-27T20:00:00.000Z'],
  ] as const)('on a weekday of each month: %s', ([, first, weeks, expected]) => {
    const startsAt = new Date(first);
    const told = weeksOf(startsAt, 'Asia/Tokyo');
    expect([told, weekdayOf(startsAt, 'Asia/Tokyo')]).toEqual([weeks, Weekday.TUESDAY]);
    const window: WindowTimes = {
      ...daily('Asia/Tokyo', first),
      repeats: WindowRepeat.MONTHLY,
      weekOfMonth: told.at(-1)!,
    };
    expect(next(window, first)).toBe(expected);
  });

  test('one that is over is so for good', () => {
    const once = { ...daily('Europe/Berlin', '2026-03-20T01:30:00Z'), repeats: WindowRepeat.NEVER };
    const at = new Date('2026-03-20T02:30:00Z');
    expect([isOpen(once, at), closesAt(once, at), nextOpensAt(once, at)]).toEqual([false, null, null]);
  });
});

describe('when commands may begin', () => {
  const start = new Date('2026-03-02T22:00:00Z');
  const at = (hours: number) => new Date(start.getTime() + hours * 60 * minute);
  const window = (
    effect: keyof typeof WindowEffect,
    repeats: keyof typeof WindowRepeat,
    from = 0,
    hours = 2,
  ) => ({
    effect: WindowEffect[effect],
    repeats: WindowRepeat[repeats],
    startsAt: at(from),
    durationMinutes: hours * 60,
    timeZone: 'UTC',
    days: null,
    weekOfMonth: null,
    endsAt: null,
  });

  test.for([
    ['without windows, always', [], 5, true],
    ['in a window that allows', [window('ALLOW', 'NEVER')], 1, true],
    ['not before it', [window('ALLOW', 'NEVER')], -0.1, false],
    ['not when it is over', [window('ALLOW', 'NEVER')], 2, false],
    ['the next night in a daily one', [window('ALLOW', 'DAILY')], 25, true],
    ['not the next night in a weekly one', [window('ALLOW', 'WEEKLY')], 25, false],
    ['the next week in a weekly one', [window('ALLOW', 'WEEKLY')], 7 * 24 + 1, true],
    ['not in one that denies', [window('DENY', 'NEVER')], 1, false],
    ['outside of one that denies', [window('DENY', 'NEVER')], 3, true],
    [
      'not where both are open: deny beats allow',
      [window('ALLOW', 'DAILY'), window('DENY', 'NEVER')],
      1,
      false,
    ],
    ['where only the one that allows is open', [window('ALLOW', 'DAILY'), window('DENY', 'NEVER')], 25, true],
    ['in either of two that allow', [window('ALLOW', 'NEVER'), window('ALLOW', 'NEVER', 10)], 11, true],
  ] as const)('%s', ([, windows, hours, expected]) => {
    expect(mayBegin(windows, at(hours))).toBe(expected);
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
      fc.constantFrom(WindowRepeat.DAILY, WindowRepeat.WEEKLY, WindowRepeat.MONTHLY),
      fc.option(fc.subarray(weekdays)),
      fc.boolean(),
      fc.nat({ max: 13 }),
      ([timeZone, date], startQuarter, quarters, repeats, otherDays, isLast, daysBefore) => {
        const clock = clockOf(timeZone);
        const around = Date.parse(`${date}T00:00:00Z`);
        const startsAt = around - day * daysBefore - 3 * day + startQuarter * quarter;
        const own = weekdayOf(new Date(startsAt), timeZone);
        const days = repeats === WindowRepeat.WEEKLY && otherDays ? inOrder([...otherDays, own]) : null;
        const weeks = weeksOf(new Date(startsAt), timeZone);
        const weekOfMonth = repeats === WindowRepeat.MONTHLY ? weeks.at(isLast ? -1 : 0)! : null;
        const window: WindowTimes = {
          effect: WindowEffect.ALLOW,
          repeats,
          startsAt: new Date(startsAt),
          durationMinutes: quarters * 15,
          timeZone,
          days,
          weekOfMonth,
          endsAt: null,
        };
        // By looking at the clock every quarter of an hour, and by nothing else.
        const [firstDate, time] = clock(startsAt).split(' ') as [string, string];
        const openings = [startsAt];
        for (let passed = day; passed <= 40 * day; passed += day) {
          const when = new Date(Date.parse(`${firstDate}T00:00:00Z`) + passed);
          const isOther = (days ?? [own]).every(
            (each) => weekdays.indexOf(each) !== (when.getUTCDay() + 6) % 7,
          );
          if (repeats !== WindowRepeat.DAILY && isOther) continue;
          const isNext = new Date(when.getTime() + 7 * day).getUTCMonth() !== when.getUTCMonth();
          const nth = weekOfMonth === lastWeek && isNext ? lastWeek : Math.ceil(when.getUTCDate() / 7);
          if (weekOfMonth !== null && nth !== weekOfMonth) continue;
          const wanted = `${when.toISOString().slice(0, 10)} ${time}`;
          let at = startsAt + passed - 26 * hour;
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
