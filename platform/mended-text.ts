/** NUL and halves of surrogate pairs are legal in JSON and GraphQL, but PostgreSQL can store neither. */
const unstorable = /[\0\p{Surrogate}]/gu;

const replacement = '\uFFFD';

/** The text with U+FFFD in the place of each character that no statement can carry. */
export function mended(text: string): string {
  return text.replaceAll(unstorable, replacement);
}

/**
 * Mends all text in a client's data where it is, names of fields included: for what must count although a part of it
 * cannot be stored. Takes time in proportion to the data, however deep it is nested.
 */
export function mendText(data: object): void {
  const waiting: object[] = [data];
  for (let container = waiting.pop(); container; container = waiting.pop()) {
    const values = container as Record<string, unknown>;
    for (const [key, value] of Object.entries(values)) {
      const name = Array.isArray(container) ? key : mended(key);
      if (name !== key) delete values[key];
      const kept = typeof value === 'string' ? mended(value) : value;
      if (name !== key || kept !== value) values[name] = kept;
      if (typeof value === 'object' && value !== null) waiting.push(value);
    }
  }
}
