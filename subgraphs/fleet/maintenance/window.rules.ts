import { LRUCache } from 'lru-cache';

import { startsAround, type Recurrence } from './recurrence.js';
import { WindowEffect, WindowRepeat, type MaintenanceWindow } from './window.entity.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export type WindowTimes = Recurrence & Pick<MaintenanceWindow, 'effect' | 'durationMinutes'>;

/** A window as far as it decides when commands begin, and on whom. */
export type HoldingWindow = WindowTimes & Pick<MaintenanceWindow, 'id' | 'name' | 'groupId'>;

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

const isKnownRepeat = (repeats: string) => Object.hasOwn(WindowRepeat, repeats);

// Many nodes wait for the same few windows, and time zones are slow to reckon with.
const known = new LRUCache<string, readonly Opening[]>({ max: 2_000 });

/** The openings near a time, in their order: those that may be open then, and the next ones. */
function around(window: WindowTimes, now: Date, ahead = 3): readonly Opening[] {
  const { startsAt, durationMinutes, repeats, timeZone, days, weekOfMonth, endsAt } = window;
  const hour = Math.floor(now.getTime() / hourMs) * hourMs;
  const comes = [repeats, days?.join(), weekOfMonth, endsAt?.getTime()];
  const key = [startsAt.getTime(), durationMinutes, ...comes, timeZone, hour, ahead].join(' ');
  const found = known.get(key);
  if (found) return found;
  // As a later version has it: nothing begins that it might hold back.
  if (!isKnownRepeat(repeats))
    return window.effect === WindowEffect.DENY
      ? [{ opensAt: new Date(0), closesAt: new Date(hour + (ahead + 1) * dayMs) }]
      : [];
  const starts = startsAround(window, { hour: new Date(hour), ahead });
  const openings = starts.map((opensAt) => ({
    opensAt,
    closesAt: new Date(opensAt.getTime() + durationMinutes * minuteMs),
  }));
  known.set(key, openings);
  return openings;
}

/** Whether a window has any say now: one that denies has none while it is not open. */
export function matters(window: WindowTimes, now: Date): boolean {
  return window.effect === WindowEffect.ALLOW || isOpen(window, now);
}

/**
 * Those of an instance's windows that keep commands from beginning: the open ones that deny; or, where there are some that
 * allow and none is open, all that allow.
 */
export function holding<Window extends Pick<WindowTimes, 'effect'>>(
  windows: readonly Window[],
  isOpenNow: (window: Window) => boolean,
): readonly Window[] {
  const open = windows.filter(isOpenNow);
  const denying = open.filter(({ effect }) => effect === WindowEffect.DENY);
  if (denying.length > 0) return denying;
  return open.length > 0 ? [] : windows.filter(({ effect }) => effect === WindowEffect.ALLOW);
}

/** Whether commands may begin now on an instance that these windows are for. */
export function mayBegin(windows: readonly WindowTimes[], now: Date): boolean {
  return holding(windows, (window) => isOpen(window, now)).length === 0;
}

export const foreseenDays = 8;

/**
 * Tells when commands may begin on an instance that some of these windows hold now; null when not within eight days. When
 * they open and close is put in order once: there may be as many instances with windows of their own as there are any.
 */
export function forecast<Window extends WindowTimes>(
  windows: readonly Window[],
  now: Date,
): (mine: readonly Window[]) => Date | null {
  const changes = windows.flatMap((window) =>
    around(window, now, foreseenDays + 3).flatMap(({ opensAt, closesAt: over }) => [
      { at: opensAt.getTime(), window, by: 1 },
      { at: over.getTime(), window, by: -1 },
    ]),
  );
  changes.sort((a, b) => a.at - b.at);
  const [from, end] = [now.getTime(), now.getTime() + foreseenDays * dayMs];
  return (mine) => {
    const among = new Set(mine);
    const isAllowedAnyhow = !mine.some(({ effect }) => effect === WindowEffect.ALLOW);
    const open = { ALLOW: 0, DENY: 0 };
    let changedAt = from;
    const isFree = () => changedAt > from && open.DENY === 0 && (isAllowedAnyhow || open.ALLOW > 0);
    for (const { at, window, by } of changes) {
      if (!among.has(window)) continue;
      // What ends and what begins at one moment counts together.
      if (at > changedAt && isFree()) return new Date(changedAt);
      if (at > end) return null;
      open[window.effect] += by;
      changedAt = at;
    }
    return isFree() ? new Date(changedAt) : null;
  };
}
