/** What an array has in the place of a value: objects become JSON. */
export type ArrayValue = string | number | Date | object | null | undefined;

/** The values as PostgreSQL writes an array of one dimension, of whatever type it then is. */
export function arrayLiteral(values: readonly ArrayValue[]): string {
  let text = '{';
  for (let at = 0; at < values.length; at += 1) text += (at === 0 ? '' : ',') + element(values[at]);
  return `${text}}`;
}

function element(value: ArrayValue): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return value.toISOString();
  return quoted(typeof value === 'string' ? value : JSON.stringify(value));
}

/** In quotes, so that no text is taken for NULL, for the end of the array or for an array in it. */
function quoted(text: string): string {
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
