import { WindowEffect, type MaintenanceWindow, type WindowRepeat } from './window.entity.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export type WindowTimes = Pick<MaintenanceWindow, 'effect' | 'startsAt' | 'durationMinutes' | 'repeats'>;

export const periodMs: Readonly<Record<WindowRepeat, number | null>> = {
  NEVER: null,
  DAILY: dayMs,
  WEEKLY: 7 * dayMs,
};

export function isOpen({ startsAt, durationMinutes, repeats }: WindowTimes, now: Date): boolean {
  const elapsed = now.getTime() - startsAt.getTime();
  const period = periodMs[repeats];
  const intoIt = period === null ? elapsed : elapsed % period;
  return elapsed >= 0 && intoIt < durationMinutes * minuteMs;
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
