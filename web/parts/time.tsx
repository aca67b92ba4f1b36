import { useEffect } from 'react';

import { recall, remember } from './remembered.ts';
import { Store, useStore } from './store.ts';

/** With the zone: what is read out or pasted to a colleague elsewhere is that moment for both. */
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
/** Lengths, not days: what was 36 hours ago need not have been yesterday. */
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'always' });

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** One clock for all relative times of the window. */
const now = new Store(Date.now());
let shown = 0;
let ticking: ReturnType<typeof setInterval> | undefined;

function useNow(): number {
  useEffect(() => {
    shown += 1;
    ticking ??= setInterval(() => now.set(Date.now()), 10_000);
    return () => {
      shown -= 1;
      if (shown > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    };
  }, []);
  return useStore(now);
}

export function timeSince(at: string, from: number): string {
  const seconds = (new Date(at).getTime() - from) / 1000;
  for (const [unit, length] of units) {
    // One and a half would be two.
    if (Math.abs(seconds) >= 2 * length) return relative.format(Math.round(seconds / length), unit);
  }
  // A node's last beat may be a moment ahead of this machine's clock.
  return Math.abs(seconds) < 15 ? 'just now' : relative.format(Math.round(seconds), 'second');
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
/** The day of a moment, in the reader's zone. */
export const exactDay = (at: string): string => day.format(new Date(at));

const utcDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
/** What is a day by itself, or the end of a period of such: the same wherever it is read. */
export const calendarDay = (at: string): string => utcDay.format(new Date(at));

export const exactTime = (at: string): string => exact.format(new Date(at));

export type Times = 'told' | 'exact';

const key = 'quazzar-times';
export const timesShown = new Store<Times>(recall(key) === 'exact' ? 'exact' : 'told');

export function showTimes(times: Times): void {
  timesShown.set(times);
  remember(key, times);
}

interface TimeProps {
  at: string | null | undefined;
  otherwise?: string;
  /** It is what people compare: it stands there exactly too. */
  isKey?: boolean;
}

/** A moment as people say it, and exactly when pointed at or where that is wanted, in the reader's zone. */
export function Time({ at, otherwise = 'never', isKey = false }: TimeProps) {
  const from = useNow();
  const times = useStore(timesShown);
  if (!at) return <span className="quiet">{otherwise}</span>;
  if (times === 'exact') return <time dateTime={at}>{exactTime(at)}</time>;
  return (
    <time dateTime={at} title={exactTime(at)}>
      {timeSince(at, from)}
      {isKey && ` (${exactTime(at)})`}
    </time>
  );
}
