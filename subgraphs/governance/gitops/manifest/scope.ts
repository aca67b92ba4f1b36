import type { Faults } from '#platform/validation.js';

import { checkScope, type Scope } from '../../policy/scope.js';

/** Whom a file says that something is for. Groups by their names without case, as files do not know ids. */
export type DeclaredScope = Exclude<Scope, { group_ids: string[] }> | { groups: string[] };

export function readScope(given: unknown, path: string): { scope: DeclaredScope } | { faults: Faults } {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return plainScope(given, path);
  if ('group_ids' in given)
    return { faults: { [`${path}.group_ids`]: 'A repository names groups by `groups`' } };
  if (!('groups' in given)) return plainScope(given, path);
  const { groups, ...rest } = given;
  const read = checkScope({ ...rest, group_ids: groups }, path);
  if ('faults' in read)
    return {
      faults: Object.fromEntries(
        Object.entries(read.faults).map(([at, sentence]) => [at.replace('.group_ids', '.groups'), sentence]),
      ),
    };
  return { scope: { groups: namesOf(groups as string[]) } };
}

/** One way of writing the same groups. */
export function namesOf(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.trim().toLowerCase()))].toSorted();
}

function plainScope(given: unknown, path: string): { scope: DeclaredScope } | { faults: Faults } {
  return checkScope(given, path) as { scope: DeclaredScope } | { faults: Faults };
}
