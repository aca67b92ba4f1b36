import type { Faults } from '#platform/validation.js';

import type { Grouped, Groups } from '../group/groups.loader.js';

/** Whom a policy is for, as clients write it and the database keeps it. */
export type Scope =
  | 'all_instances'
  | { instance_ids: string[] }
  | { tags: string[] }
  | { group_ids: string[] };

const most = { instance_ids: 1_000, tags: 20, group_ids: 20 } as const;
type Kind = keyof typeof most;
const kinds = Object.keys(most) as Kind[];
const rule = 'It is "all_instances", or an object with instance_ids, tags or group_ids';

/** The scope as it is kept, or what is wrong with it, by place. */
export function checkScope(given: unknown, path: string): { scope: Scope } | { faults: Faults } {
  if (given === 'all_instances') return { scope: given };
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { faults: { [path]: rule } };
  const [entry, ...more] = Object.entries(given);
  const kind = kinds.find((each) => each === entry?.[0]);
  if (!entry || !kind || more.length > 0) return { faults: { [path]: rule } };
  const [, list] = entry;
  const at = `${path}.${kind}`;
  if (!Array.isArray(list) || list.length === 0) return { faults: { [at]: 'It is a list, and not empty' } };
  if (list.length > most[kind]) return { faults: { [at]: `At most ${most[kind]}` } };
  for (const [index, item] of list.entries())
    if (typeof item !== 'string' || item === '' || item.length > 100)
      return { faults: { [`${at}.${index}`]: 'It is text of 1 to 100 characters' } };
  return { scope: { [kind]: [...new Set(list as string[])] } as Scope };
}

/** What of an instance decides whether a policy is for it. */
export type Scoped = Grouped;

/** The groups that it names. */
export function groupIdsOf(scope: Scope): readonly string[] {
  return scope !== 'all_instances' && 'group_ids' in scope ? scope.group_ids : [];
}

/** Whether an instance is among those that a policy is for. Of several tags it has to have all, of groups to be in one. */
export function scopeTest(scope: Scope, groups: Groups): (node: Scoped) => boolean {
  if (scope === 'all_instances') return () => true;
  if ('instance_ids' in scope) {
    const ids = new Set(scope.instance_ids);
    return ({ id }) => ids.has(id);
  }
  if ('tags' in scope) return ({ tags }) => scope.tags.every((tag) => tags.includes(tag));
  const tests = scope.group_ids.flatMap((id) => groups.get(id) ?? []);
  return (node) => tests.some((isIn) => isIn(node));
}
