import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

import { WindowEffect, type MaintenanceWindow, type WindowRepeat } from './window.entity.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export type WindowTimes = Pick<
  MaintenanceWindow,
  'effect' | 'startsAt' | 'durationMinutes' | 'repeats' | 'timeZone'
>;

const periodDays: Readonly<Record<WindowRepeat, number | null>> = { NEVER: null, DAILY: 1, WEEKLY: 7 };

/** The usual time until a window comes again. */
export function periodMs(repeats: WindowRepeat): number | null {
  const days = periodDays[repeats];
  return days === null ? null : days * dayMs;
}

/** One time that a window is open. */
export interface Opening {
  opensAt: Date;
  closesAt: Date;
}

/** Whether it is the name of a time zone in the IANA database, such as Europe/Berlin or UTC; offsets are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    // Temporal itself would take offsets and whole timestamps as well.
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export function isOpen(window: WindowTimes, now: Date): boolean {
  return openingAt(window, now) !== undefined;
}

/** When a window that is open now will be over. One that comes again before its end, on a short day, goes on. */
export function closesAt(window: WindowTimes, now: Date): Date | null {
  let end: Date | null = null;
  for (const { opensAt, closesAt: over } of around(window, now)) {
    if (opensAt <= (end ?? now) && over > (end ?? now)) end = over;
  }
  return end;
}

/** When a window opens next after now; null when it does so no more. */
export function nextOpensAt(window: WindowTimes, now: Date): Date | null {
  return around(window, now).find(({ opensAt }) => opensAt > now)?.opensAt ?? null;
}

function openingAt(window: WindowTimes, now: Date): Opening | undefined {
  return around(window, now).find(({ opensAt, closesAt: over }) => opensAt <= now && now < over);
}

// Many nodes wait for the same few windows, and time zones are slow to reckon with.
const known = new LRUCache<string, readonly Opening[]>({ max: 2_000 });

/** The openings near a time, in their order: those that may be open then, and the next. */
function around(
  { startsAt, durationMinutes, repeats, timeZone }: WindowTimes,
  now: Date,
): readonly Opening[] {
  const hour = Math.floor(now.getTime() / hourMs) * hourMs;
  const key = [startsAt.getTime(), durationMinutes, repeats, timeZone, hour].join(' ');
  const found = known.get(key);
  if (found) return found;
  const openings = startsAround(startsAt, periodDays[repeats], timeZone, new Date(hour)).map((opensAt) => ({
    opensAt,
    closesAt: new Date(opensAt.getTime() + durationMinutes * minuteMs),
  }));
  known.set(key, openings);
  return openings;
}

/**
 * When a window opens around an hour. It does so at the same time of day in its zone; the first time when it was asked
 * for, also where that hour exists twice.
 */
function startsAround(first: Date, days: number | null, timeZone: string, hour: Date): Date[] {
  if (days === null) return [first];
  const local = localTime(first, timeZone);
  const passed = local.toPlainDate().until(localTime(hour, timeZone).toPlainDate()).days;
  const nth = Math.max(0, Math.floor(passed / days));
  // The last one may reach into today, and the hour into tomorrow; the day between may not exist.
  return [nth - 2, nth - 1, nth, nth + 1, nth + 2, nth + 3]
    .filter((times) => times >= 0)
    .map((times) => (times === 0 ? first : instantOf(local.add({ days: times * days }), timeZone)));
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

/** Whether a window has any say now: one that denies has none while it is not open. */
export function matters(window: WindowTimes, now: Date): boolean {
  return window.effect === WindowEffect.ALLOW || isOpen(window, now);
}

/** Whether commands may begin now on an instance that these windows are for. */
export function mayBegin(windows: readonly WindowTimes[], now: Date): boolean {
  const open = windows.filter((window) => isOpen(window, now));
  if (open.some(({ effect }) => effect === WindowEffect.DENY)) return false;
  const allowing = windows.filter(({ effect }) => effect === WindowEffect.ALLOW);
  return allowing.length === 0 || open.length > 0;
}
