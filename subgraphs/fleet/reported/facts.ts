import { createHash } from 'node:crypto';

/** How deep facts may be nested; the database and everyone who looks into them goes through them by recursion. */
const deepest = 64;
const longest = 32 * 1024;

/** Why these facts cannot be kept, or undefined when they can. */
export function factsFault(facts: unknown): string | undefined {
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) return 'Facts must be an object';
  if (isDeeper(facts, deepest)) return `Facts must not be nested deeper than ${deepest} levels`;
  return JSON.stringify(facts).length > longest ? 'Facts must have at most 32 kB of JSON' : undefined;
}

/** Level by level, so that no depth of nesting can exhaust the stack. */
function isDeeper(data: object, levels: number): boolean {
  let level: object[] = [data];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((container) =>
      Object.values(container).filter((value) => typeof value === 'object' && value !== null),
    ) as object[];
  }
  return false;
}

/** By which it is seen that facts are the same as before, without reading those. */
export function digestOf(facts: object): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}
