const withoutFractions = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '),
);
const withThousandths = new Set('bhd jod kwd omr tnd'.split(' '));

/** How many digits Stripe's minor unit of a currency has; Intl differs, for forint and króna for instance. */
export function minorDigits(currency: string): number {
  if (withoutFractions.has(currency)) return 0;
  return withThousandths.has(currency) ? 3 : 2;
}

/** An amount of minor units as Stripe's descriptions have it: $49.00. */
export function moneyText(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

/** A part of an amount, rounded to whole minor units with halves away from zero; exact, unlike division of doubles. */
export function partOf(amount: number, numerator: number, denominator: number): number {
  if (denominator === 0) return 0;
  const doubled = 2n * BigInt(Math.abs(amount)) * BigInt(numerator);
  const rounded = (doubled + BigInt(denominator)) / (2n * BigInt(denominator));
  return amount < 0 ? -Number(rounded) : Number(rounded);
}

const dates = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

/** A day as Stripe's descriptions have it: 14 Feb 2027. */
export function dateText(seconds: number): string {
  return dates.format(seconds * 1000);
}
