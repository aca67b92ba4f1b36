/** A code without what people put between its characters: spaces and dashes of any kind. Wide forms are plain ones. */
export function bareCode(typed: string): string {
  return typed
    .slice(0, 100)
    .normalize('NFKC')
    .replaceAll(/[\s\p{Pd}\p{Cf}\u2212]/gu, '');
}
