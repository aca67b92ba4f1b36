import type {
  MaintenanceWindowEffect,
  MaintenanceWindowRepeat,
  Weekday,
  WindowRowFragment,
} from '../generated/graphql.ts';
import { exactTime } from '../parts/time.tsx';
import { durationText, words } from '../parts/words.ts';

export const effects: readonly { value: MaintenanceWindowEffect; text: string }[] = [
  { value: 'ALLOW', text: 'Commands begin in it, and at no other time' },
  { value: 'DENY', text: 'No command begins in it' },
];

export const repeats: readonly { value: MaintenanceWindowRepeat; text: string }[] = [
  { value: 'NEVER', text: 'Once' },
  { value: 'DAILY', text: 'Every day' },
  { value: 'WEEKLY', text: 'Every week' },
  { value: 'MONTHLY', text: 'Every month' },
];

export const weekdays: readonly Weekday[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];

/** By their number; the last one by -1. */
const weeks: Readonly<Record<number, string>> = {
  1: 'first',
  2: 'second',
  3: 'third',
  4: 'fourth',
  [-1]: 'last',
};

/** Which one of its month such a day is, as in `the second Tuesday of the month`. */
export const weekText = (week: number, weekday: string): string =>
  `the ${weeks[week]} ${weekday} of the month`;

type Schedule = Pick<
  WindowRowFragment,
  'startsAt' | 'repeats' | 'timeZone' | 'durationMinutes' | 'days' | 'weekOfMonth' | 'endsAt'
>;

/** When it is, by the clocks of its own zone. */
export function scheduleText(window: Schedule): string {
  const { startsAt, repeats: comes, timeZone, durationMinutes, days, weekOfMonth, endsAt } = window;
  const in_ = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(undefined, { timeZone, ...options }).format(new Date(startsAt));
  const time = in_({ timeStyle: 'short' });
  const when = {
    NEVER: () => `Once, ${in_({ dateStyle: 'medium' })} at ${time}`,
    DAILY: () => `Every day at ${time}`,
    WEEKLY: () => `Every ${days ? listed(days.map(words)) : in_({ weekday: 'long' })} at ${time}`,
    MONTHLY: () => `On ${weekText(weekOfMonth ?? -1, in_({ weekday: 'long' }))} at ${time}`,
  }[comes]();
  const end = endsAt ? `, no more from ${exactTime(endsAt)} on` : '';
  return `${when} (${timeZone}), for ${durationText(durationMinutes * 60)}${end}`;
}

function listed(all: readonly string[]): string {
  return new Intl.ListFormat('en').format(all);
}
