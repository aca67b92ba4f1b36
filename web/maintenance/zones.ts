/** The reader's own zone. */
export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** All zones that the browser knows, with those that are given. */
export function zonesWith(...given: readonly string[]): string[] {
  return [...new Set([...given, 'UTC', ...Intl.supportedValuesOf('timeZone')])].toSorted();
}

/** What the clocks of a zone show, as a field for date and time has it: `2026-03-02T22:30`. */
export function localAt(moment: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(moment);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

/** The last one that a field for date and time may have: the browser would take years of six digits, and nothing else does. */
export const lastMoment = '9999-12-31T23:59';

const dayMs = 86_400_000;

/**
 * When the clocks of a zone show a time. Of an hour that exists twice the first; a time that is skipped as clocks are put
 * forward is as far behind that as it is into the missing hour. Undefined for what is no time.
 */
export function momentAt(local: string, timeZone: string): Date | undefined {
  const wanted = Date.parse(`${local}Z`);
  if (Number.isNaN(wanted)) return undefined;
  const [before, after] = [wanted - dayMs, wanted + dayMs].map((at) => wanted - offsetAt(at, timeZone));
  const fitting = [before!, after!]
    .filter((at) => at + offsetAt(at, timeZone) === wanted)
    .toSorted((a, b) => a - b);
  return new Date(fitting[0] ?? before!);
}

/** How far a zone's clocks are ahead of UTC at a moment. */
function offsetAt(moment: number, timeZone: string): number {
  return Date.parse(`${localAt(new Date(moment), timeZone)}Z`) - Math.floor(moment / 60_000) * 60_000;
}
