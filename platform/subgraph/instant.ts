const dayMs = 24 * 60 * 60 * 1000;
const two = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const three = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));

/**
 * In milliseconds, the first and the last moment of the years 1 to 9999. Of another year JSON has text that PostgreSQL
 * refuses: `+010000-01-01T00:00:00.000Z`.
 */
export const storable = {
  first: Date.parse('0001-01-01T00:00:00.000Z'),
  last: Date.parse('9999-12-31T23:59:59.999Z'),
} as const;

export function isStorableInstant(date: Date): boolean {
  return date.getTime() >= storable.first && date.getTime() <= storable.last;
}

let knownDay = Number.NaN;
let knownText = '';

/**
 * What `toISOString` answers, at less than half of its cost for times of the same day, which those of a list mostly are.
 * Throws as it does for a Date that is none.
 */
export function instantText(date: Date): string {
  const time = date.getTime();
  const day = Math.floor(time / dayMs);
  if (day !== knownDay) {
    knownText = date.toISOString().slice(0, -'00:00:00.000Z'.length);
    knownDay = day;
  }
  const inDay = time - day * dayMs;
  const milliseconds = inDay % 1000;
  const seconds = (inDay - milliseconds) / 1000;
  const minutes = (seconds - (seconds % 60)) / 60;
  const hours = (minutes - (minutes % 60)) / 60;
  return `${knownText}${two[hours]}:${two[minutes % 60]}:${two[seconds % 60]}.${three[milliseconds]}Z`;
}
