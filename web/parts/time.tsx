import { useEffect } from 'react';

import { Store, useStore } from './store.ts';

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

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
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
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

/** A moment as people say it, in the reader's zone; exactly when pointed at. */
export function Time({ at, otherwise = 'never' }: { at: string | null | undefined; otherwise?: string }) {
  const from = useNow();
  if (!at) return <span className="quiet">{otherwise}</span>;
  return (
    <time dateTime={at} title={exactTime(at)}>
      {timeSince(at, from)}
    </time>
  );
}
