/** What the address says, without what says nothing. */
export function withoutEmpty<Search extends object>(search: Record<string, unknown>): Search {
  const said = Object.entries(search).filter(
    ([, value]) => value !== undefined && value !== '' && value !== false,
  );
  return Object.fromEntries(said) as Search;
}

/** A word of the address, where it is one of those that are understood. */
export function oneOf<Value extends string>(values: readonly Value[], given: unknown): Value | undefined {
  return values.find((value) => value === given);
}

/** Text of the address. Digits come as a number, of which the router has made sure that it is written the same. */
export function textOf(given: unknown): string | undefined {
  const isText = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
  return isText && given !== '' ? String(given) : undefined;
}
