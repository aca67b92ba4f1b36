import { Temporal } from 'temporal-polyfill';

import { Weekday, WindowRepeat, type MaintenanceWindow } from './window.entity.js';

/** When a window begins, each time. */
export type Recurrence = Pick<
  MaintenanceWindow,
  'startsAt' | 'repeats' | 'timeZone' | 'days' | 'weekOfMonth' | 'endsAt'
>;

/** From Monday on, as ISO numbers them from one. */
export const weekdays = Object.values(Weekday);

/** Of weeks of a month the last. */
export const lastWeek = -1;

/** On which day of the week it begins for the first time, by the clocks of its zone. */
export function weekdayOf(startsAt: Date, timeZone: string): Weekday {
  return weekdays[localTime(startsAt, timeZone).dayOfWeek - 1]!;
}

/** Which of such days of its month that is: the second, say; the last one may be the fourth as well. */
export function weeksOf(startsAt: Date, timeZone: string): number[] {
  const { day, daysInMonth } = localTime(startsAt, timeZone);
  const nth = Math.ceil(day / 7);
  return [...(nth <= 4 ? [nth] : []), ...(day + 7 > daysInMonth ? [lastWeek] : [])];
}

/** The fewest days until a window comes again; null where it does not. */
export function shortestDays(
  repeats: WindowRepeat,
  days: readonly Weekday[] | null | undefined,
): number | null {
  switch (repeats) {
    case WindowRepeat.NEVER:
      return null;
    case WindowRepeat.DAILY:
      return 1;
    case WindowRepeat.WEEKLY: {
      const on = numbersOf(days ?? []);
      return Math.min(7, ...on.map((day, at) => (on[at + 1] ?? on[0]! + 7) - day));
    }
    case WindowRepeat.MONTHLY:
      return 28;
  }
}

/** In the order of a week, each once. */
export function inOrder(days: readonly Weekday[]): Weekday[] {
  return numbersOf(days).map((day) => weekdays[day - 1]!);
}

function numbersOf(days: readonly Weekday[]): number[] {
  return [...new Set(days)].map((day) => weekdays.indexOf(day) + 1).toSorted((a, b) => a - b);
}

/**
 * When a window opens around an hour, in order: twice before it at least, and on so many days ahead. It does so at the same
 * time of day in its zone; the first time when it was asked for, also where that hour exists twice.
 */
export function startsAround(window: Recurrence, { hour, ahead }: { hour: Date; ahead: number }): Date[] {
  const { startsAt: first, timeZone, endsAt } = window;
  if (window.repeats === WindowRepeat.NEVER) return [first];
  const local = localTime(first, timeZone);
  const firstDate = local.toPlainDate();
  const nowDate = localTime(hour, timeZone).toPlainDate();
  // Before the first time that one is what comes next.
  const today = Temporal.PlainDate.compare(nowDate, firstDate) < 0 ? firstDate : nowDate;
  return datesAround(window, firstDate, { today, ahead })
    .map((date) => ({ date, passed: Temporal.PlainDate.compare(date, firstDate) }))
    .filter(({ passed }) => passed >= 0)
    .map(({ date, passed }) =>
      passed === 0 ? first : instantOf(date.toPlainDateTime(local.toPlainTime()), timeZone),
    )
    .filter((opensAt) => endsAt === null || opensAt < endsAt);
}

const around = (ahead: number) => Array.from({ length: ahead + 3 }, (_, at) => at - 2);

/** The last one may reach into today, and the hour into tomorrow; the day between may not exist. */
function datesAround(
  { repeats, days, weekOfMonth }: Recurrence,
  first: Temporal.PlainDate,
  { today, ahead }: { today: Temporal.PlainDate; ahead: number },
): Temporal.PlainDate[] {
  switch (repeats) {
    case WindowRepeat.NEVER:
      return [first];
    case WindowRepeat.DAILY:
      return around(ahead).map((by) => today.add({ days: by }));
    case WindowRepeat.WEEKLY: {
      const monday = today.subtract({ days: today.dayOfWeek - 1 });
      const on = days ? numbersOf(days) : [first.dayOfWeek];
      return around(Math.ceil(ahead / 7) + 1).flatMap((weeks) =>
        on.map((day) => monday.add({ days: weeks * 7 + day - 1 })),
      );
    }
    case WindowRepeat.MONTHLY: {
      const month = today.with({ day: 1 });
      return around(2).map((months) => dayOfMonth(month.add({ months }), first.dayOfWeek, weekOfMonth));
    }
  }
}

/** The nth of its Tuesdays, say, by its first day; the last one where that is wanted. */
function dayOfMonth(month: Temporal.PlainDate, weekday: number, week: number | null): Temporal.PlainDate {
  if (week === null || week === lastWeek) {
    const end = month.with({ day: month.daysInMonth });
    return end.subtract({ days: (end.dayOfWeek - weekday + 7) % 7 });
  }
  return month.add({ days: ((weekday - month.dayOfWeek + 7) % 7) + (week - 1) * 7 });
}

function localTime(at: Date, timeZone: string): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone).toPlainDateTime();
}

/**
 * When it is so late in a zone. Of an hour that exists twice the first; for a time that does not exist, when the clocks
 * have been put forward: Temporal would put it as far behind that as it is into the missing hour.
 */
function instantOf(local: Temporal.PlainDateTime, timeZone: string): Date {
  const zoned = local.toZonedDateTime(timeZone, { disambiguation: 'compatible' });
  const exists = zoned.toPlainDateTime().equals(local);
  const instant = exists ? zoned : (zoned.add({ nanoseconds: 1 }).getTimeZoneTransition('previous') ?? zoned);
  return new Date(instant.epochMilliseconds);
}
