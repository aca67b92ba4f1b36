import { headOf } from '#platform/cut-text.js';

import { kindOf } from './fact.catalogue.js';

/** What is known of a node, by path. */
export type Facts = Readonly<Record<string, unknown>>;

/** The key under which it is kept that a node has told facts at all: what is not among them then does not exist. */
export const reportedMark = '';

const mostFacts = 500;
const mostItems = 500;
const longestText = 1_000;

/**
 * What a node reported, nested or dotted, as one value for each path of the catalogue. The rest is left out: nothing can
 * be asked about it. Goes level by level, so that no nesting exhausts the stack.
 */
export function flatten(reported: unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (typeof reported !== 'object' || reported === null || Array.isArray(reported)) return found;
  let count = 0;
  let level: [string, unknown][] = Object.entries(reported);
  while (level.length > 0 && count < mostFacts) {
    const next: [string, unknown][] = [];
    for (const [path, value] of level) {
      if (count >= mostFacts) break;
      const kind = kindOf(path);
      // What the panel knows by itself nobody else has a say in.
      if (kind && kind.source !== 'node') continue;
      if (kind) {
        const kept = keep(value);
        if (kept !== undefined) {
          found[path] = kept;
          count += 1;
          continue;
        }
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      for (const [name, inner] of Object.entries(value)) next.push([`${path}.${name}`, inner]);
    }
    level = next;
  }
  return found;
}

function keep(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'string') return headOf(value, longestText);
  if (!Array.isArray(value)) return undefined;
  return value
    .filter((item) => typeof item === 'string')
    .slice(0, mostItems)
    .map((item: string) => headOf(item, longestText));
}
