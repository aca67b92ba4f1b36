import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, invalid } from '#platform/errors.js';

import type { Scope } from '../../policy/scope.js';
import { namesOf, type DeclaredScope } from '../manifest/scope.js';

/** The tenant's groups, between the names that files have and the ids that the panel has. */
export class GroupNames {
  private constructor(
    private readonly names: ReadonlyMap<string, string>,
    private readonly ids: ReadonlyMap<string, string>,
  ) {}

  static async read(em: SqlEntityManager, tenantId: string): Promise<GroupNames> {
    const rows = await em.execute<{ id: string; name: string }[]>(
      'select id, lower(name) as name from governance.instance_group where tenant_id = ?',
      [tenantId],
    );
    return new GroupNames(
      new Map(rows.map(({ id, name }) => [id, name])),
      new Map(rows.map(({ id, name }) => [name, id])),
    );
  }

  /** As a file would say it; a group that was removed goes by its id. */
  declaredOf(scope: Scope): DeclaredScope {
    if (scope === 'all_instances' || !('group_ids' in scope)) return scope;
    return { groups: namesOf(scope.group_ids.map((id) => this.names.get(id) ?? id)) };
  }

  /**
   * As the panel takes it. VALIDATION_FAILED for a group that there is not; UNAVAILABLE for one that was just made, which
   * fleet has yet to tell of.
   */
  scopeOf(declared: DeclaredScope, isMade: (name: string) => boolean): Scope {
    if (declared === 'all_instances' || !('groups' in declared)) return declared;
    return {
      group_ids: declared.groups.map((name, at) => {
        const id = this.ids.get(name);
        if (id === undefined && isMade(name))
          throw new ApiError('UNAVAILABLE', `The group ${name} is not known to policies yet`);
        if (id === undefined) throw invalid(`input.applies_to.groups.${at}`, `There is no group ${name}`);
        return id;
      }),
    };
  }

  /** Whether there are all the groups that it names. */
  hasAllOf(declared: DeclaredScope): boolean {
    return (
      declared === 'all_instances' ||
      !('groups' in declared) ||
      declared.groups.every((name) => this.ids.has(name))
    );
  }

  /** The same where a group that there is not yet has nobody in it. */
  knownOf(declared: DeclaredScope): Scope {
    if (declared === 'all_instances' || !('groups' in declared)) return declared;
    return { group_ids: declared.groups.flatMap((name) => this.ids.get(name) ?? []) };
  }
}
