const small = new Set(['Cpu']);

/** A word of the API as people read it: `COMPONENT_UNHEALTHY` is "Component unhealthy". */
export function words(name: string): string {
  const text = name.toLowerCase().replaceAll('_', ' ');
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return small.has(first) ? first.toUpperCase() : first;
}

const number = new Intl.NumberFormat();
export const count = (value: number): string => number.format(value);

/** `1 node`, `2 nodes`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** `90` is "90 seconds", `300` is "5 minutes": the largest unit that tells it exactly. */
export function durationText(seconds: number): string {
  const [length, unit] = units.find(([one]) => seconds % one === 0) ?? [1, 'second'];
  return plural(seconds / length, unit);
}

const percentage = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
export const percent = (value: number | null | undefined): string =>
  value == null ? '–' : `${percentage.format(value)} %`;

const byteUnits = ['B/s', 'kB/s', 'MB/s', 'GB/s'];

export function bytesPerSecond(value: number): string {
  const power = Math.min(byteUnits.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${byteUnits[power]}`;
}

export function money(value: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(value);
}

// Stripe's own minor units: Intl has none for forint and króna, for instance, of which Stripe has hundredths.
const withoutFractions = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '),
);
const withThousandths = new Set('bhd jod kwd omr tnd'.split(' '));

function minorDigits(currency: string): number {
  if (withoutFractions.has(currency)) return 0;
  return withThousandths.has(currency) ? 3 : 2;
}

/** An amount in minor units of its currency, as payments tell it. */
export function minor(value: number, currency: string): string {
  const digits = minorDigits(currency.toLowerCase());
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    maximumFractionDigits: digits,
  });
  return format.format(value / 10 ** digits);
}
