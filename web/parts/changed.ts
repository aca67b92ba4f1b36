/** What of an edited thing differs from how it was when editing began: the rest may have been changed by others meanwhile. */
export function changedOf<After extends object>(before: After, after: After): Partial<After> {
  const isOther = ([field, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify((before as Record<string, unknown>)[field]);
  return Object.fromEntries(Object.entries(after).filter(isOther)) as Partial<After>;
}
