/** A part of an amount that is not negative, in whole minor units, halves up: exact, unlike division of doubles. */
export function partOf(amount: number, part: number, whole: number): number {
  const [of, by] = [2n * BigInt(whole), 2n * BigInt(amount) * BigInt(part)];
  return Number((by + BigInt(whole)) / of);
}
