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

export function textOf(given: unknown): string | undefined {
  return typeof given === 'string' && given !== '' ? given : undefined;
}
