const shape =
  /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d{1,12})?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * An instant as RFC 3339, section 5.6, has it: letters in either case, a space for the T. A leap second is the one after
 * it, as for clocks that count it twice. Undefined for anything else.
 */
export function timeOf(text: string): Date | undefined {
  const [, day, hour, minute, second, fraction = '', sign, zoneHour, zoneMinute] = shape.exec(text) ?? [];
  if (day === undefined) return undefined;
  const midnight = midnightOf(day);
  if (midnight === undefined) return undefined;
  const minutes = Number(hour) * 60 + Number(minute);
  const offset =
    sign === undefined ? 0 : (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const milliseconds = Math.trunc(Number(`0${fraction || '.0'}`) * 1000);
  return new Date(midnight + (minutes - offset) * 60_000 + Number(second) * 1000 + milliseconds);
}

let latest = { day: '', midnight: 0 };

/** Undefined where there is no such day. */
function midnightOf(day: string): number | undefined {
  // What nodes tell of is of the same day, nearly always.
  if (latest.day === day) return latest.midnight;
  const midnight = new Date(`${day}T00:00:00Z`);
  // Date takes 30 February for 2 March; a day that exists comes back as it went in.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return undefined;
  latest = { day, midnight: midnight.getTime() };
  return latest.midnight;
}
