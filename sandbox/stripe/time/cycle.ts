import { Temporal } from 'temporal-polyfill';

import { day } from '../settings.js';

/** How often a price is charged. */
export interface Rhythm {
  readonly interval: string;
  readonly interval_count: number;
}

export interface Period {
  readonly start: number;
  readonly end: number;
}

const monthsOf: Record<string, number> = { month: 1, year: 12 };
const secondsOf: Record<string, number> = { day, week: 7 * day };

/** So many months later by the calendar of UTC; a day that the month does not have is its last. */
export function addMonths(seconds: number, months: number): number {
  const instant = Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
  return Math.floor(instant.toZonedDateTimeISO('UTC').add({ months }).epochMilliseconds / 1000);
}

/** The nth boundary of periods, counted from the anchor: the 31st comes back after February, the 29th in leap years. */
export function boundary(anchor: number, { interval, interval_count: count }: Rhythm, n: number): number {
  const months = monthsOf[interval];
  if (months !== undefined) return addMonths(anchor, months * count * n);
  const seconds = secondsOf[interval];
  if (seconds === undefined) throw new Error(`no rhythm has the interval ${interval}`);
  return anchor + seconds * count * n;
}

/** The period in which a moment lies; the start belongs to it, the end to the next. */
export function periodAt(anchor: number, rhythm: Rhythm, at: number): Period {
  const days = rhythm.interval_count * (monthsOf[rhythm.interval] === undefined ? 1 : 30.44);
  const unit = (monthsOf[rhythm.interval] ?? (secondsOf[rhythm.interval] ?? day) / day) * days * day;
  let n = Math.floor((at - anchor) / unit);
  while (boundary(anchor, rhythm, n) > at) n -= 1;
  while (boundary(anchor, rhythm, n + 1) <= at) n += 1;
  return { start: boundary(anchor, rhythm, n), end: boundary(anchor, rhythm, n + 1) };
}

/** Whether two prices are charged at the same moments. */
export function isSameRhythm(a: Rhythm, b: Rhythm): boolean {
  return boundary(0, a, 1) === boundary(0, b, 1) && boundary(0, a, 13) === boundary(0, b, 13);
}
