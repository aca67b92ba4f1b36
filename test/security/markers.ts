import type { Row } from './rows.js';

const shortest = 8;
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/**
 * What tells that an answer speaks of a tenant: every string in its rows that is in no row of the others, the cursors
 * made of its ids, and `more` (secrets that are stored as hashes only, numbers that nobody else has measured).
 */
export function markersOf(rows: readonly Row[], others: readonly Row[], more: readonly string[]): string[] {
  const known = stringsIn(others);
  const own = [...stringsIn(rows)].filter((text) => !known.has(text));
  const cursors = own
    .filter((text) => /^[a-z]+_\w{26}$/.test(text))
    .map((id) => Buffer.from(id).toString('base64url'));
  return [...new Set([...own, ...cursors, ...more])];
}

function stringsIn(rows: readonly Row[]): Set<string> {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string' && value.length >= shortest && !time.test(value)) found.add(value);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
  };
  for (const { row } of rows) walk(JSON.parse(row));
  return found;
}

/** Markers in a text, but for those that whoever asked had brought along. */
export function leaksBeyond(given: unknown, text: string, markers: readonly string[]): string[] {
  const known = JSON.stringify(given);
  return leaksIn(text, markers).filter((marker) => !known.includes(marker));
}

/** Which markers a text has; a number counts only where it stands alone. */
export function leaksIn(text: string, markers: readonly string[]): string[] {
  return markers.filter((marker) => {
    if (!/^[\d.]+$/.test(marker)) return text.includes(marker);
    return new RegExp(`(?<![\\w.])${marker.replace('.', '\\.')}(?![\\w.])`).test(text);
  });
}
