import type {
  MaintenanceWindowEffect,
  MaintenanceWindowRepeat,
  WindowRowFragment,
} from '../generated/graphql.ts';
import { durationText } from '../parts/words.ts';

export const effects: readonly { value: MaintenanceWindowEffect; text: string }[] = [
  { value: 'ALLOW', text: 'Commands begin in it, and at no other time' },
  { value: 'DENY', text: 'No command begins in it' },
];

export const repeats: readonly { value: MaintenanceWindowRepeat; text: string }[] = [
  { value: 'NEVER', text: 'Once' },
  { value: 'DAILY', text: 'Every day' },
  { value: 'WEEKLY', text: 'Every week' },
];

type Schedule = Pick<WindowRowFragment, 'startsAt' | 'repeats' | 'timeZone' | 'durationMinutes'>;

/** When it is, by the clocks of its own zone. */
export function scheduleText({ startsAt, repeats: comes, timeZone, durationMinutes }: Schedule): string {
  const in_ = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(undefined, { timeZone, ...options }).format(new Date(startsAt));
  const time = in_({ timeStyle: 'short' });
  const when = {
    NEVER: () => `Once, ${in_({ dateStyle: 'medium' })} at ${time}`,
    DAILY: () => `Every day at ${time}`,
    WEEKLY: () => `Every ${in_({ weekday: 'long' })} at ${time}`,
  }[comes]();
  return `${when} (${timeZone}), for ${durationText(durationMinutes * 60)}`;
}
