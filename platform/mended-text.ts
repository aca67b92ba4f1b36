import { findDataFault, type DataFault } from './client-data.js';

/** NUL and halves of surrogate pairs are legal in JSON and GraphQL, but PostgreSQL can store neither. */
const unstorable = /[\0\p{Surrogate}]/gu;

const replacement = '\uFFFD';

/** The text with U+FFFD in the place of each character that no statement can carry. */
export function mended(text: string): string {
  return text.replaceAll(unstorable, replacement);
}

/** What is wrong with a client's data besides its text, which is mended where there is anything to mend. */
export function faultOfMended(data: object, { fields = false } = {}): DataFault | undefined {
  if (!findDataFault(data, { fields })) return undefined;
  mendText(data);
  return findDataFault(data, { fields, text: false });
}

/** More levels than anyone takes: what is deeper is refused by those who look at it next. */
const levels = 66;

/**
 * Mends all text in a client's data where it is, names of fields included: for what must count although a part of it
 * cannot be stored. Takes time in proportion to the data, however it is nested.
 */
export function mendText(data: object): void {
  let level: object[] = [data];
  for (let depth = 0; depth < levels && level.length > 0; depth += 1) {
    const below: object[] = [];
    for (const container of level) {
      if (Array.isArray(container)) mendList(container, below);
      else mendFields(container as Record<string, unknown>, below);
    }
    level = below;
  }
}

function mendList(list: unknown[], below: object[]): void {
  for (const [at, value] of list.entries()) {
    if (typeof value === 'string') list[at] = mended(value);
    else if (typeof value === 'object' && value !== null) below.push(value);
  }
}

function mendFields(fields: Record<string, unknown>, below: object[]): void {
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    const name = mended(key);
    const kept = typeof value === 'string' ? mended(value) : value;
    if (name !== key) delete fields[key];
    if (name !== key || kept !== value) fields[name] = kept;
    if (typeof value === 'object' && value !== null) below.push(value);
  }
}
