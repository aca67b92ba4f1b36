/** Objects become JSON, times milliseconds since 1970. */
export type ArrayValue = string | number | boolean | Date | object | null | undefined;

/** The values as PostgreSQL writes an array of one dimension, of whatever type it then is. */
export function arrayLiteral(values: readonly ArrayValue[]): string {
  return `{${values.map(element).join(',')}}`;
}

function element(value: ArrayValue): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return String(value.getTime());
  return quoted(typeof value === 'string' ? value : JSON.stringify(value));
}

/** In quotes, so that no text is taken for NULL, for the end of the array or for an array in it. */
function quoted(text: string): string {
  return text.includes('"') || text.includes('\\') ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
