/** At most `max` characters, the last of them an ellipsis where there were more; never half of a surrogate pair. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${headOf(text, max - 1)}…`;
}

/** The first characters, at most `max`, without half of a pair at their end. */
export function headOf(text: string, max: number): string {
  return text.slice(0, max).replace(/\p{Surrogate}$/u, '');
}

/** The last characters, at most `max`, without half of a pair at their beginning. */
export function tailOf(text: string, max: number): string {
  return text.slice(-max).replace(/^\p{Surrogate}/u, '');
}
