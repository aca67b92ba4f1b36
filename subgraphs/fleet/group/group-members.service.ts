import { raw, type FilterQuery } from '@mikro-orm/core';

import type { Database } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { Faults } from '#platform/validation.js';

import { Instance } from '../instance/instance.entity.js';
import { InstanceGroup } from './group.entity.js';
import { instancesMatching, matchesSql } from './group.filter.js';

type Em = Operation['em'];

/** Who is in a group now, as a condition on instances. */
export function membersOf(
  { tenantId, id, filter }: Pick<InstanceGroup, 'tenantId' | 'id' | 'filter'>,
  now: Date,
): FilterQuery<Instance> {
  if (filter) return instancesMatching(filter, now);
  return {
    id: {
      $in: raw('(select instance_id from fleet.instance_group_member where tenant_id = ? and group_id = ?)', [
        tenantId,
        id,
      ]),
    },
  };
}

/** Which of these groups an instance is in now. */
export async function groupsOf(
  database: Database,
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  groupIds: readonly string[],
  now: Date,
): Promise<Set<string>> {
  const ids = JSON.stringify(groupIds);
  const rows = await database.select<{ id: string }>(
    tenantId,
    `with asked as (select jsonb_array_elements_text(?::jsonb) as id)
     select m.group_id as id from fleet.instance_group_member m
     where m.tenant_id = ? and m.instance_id = ? and m.group_id in (select id from asked)
     union all
     select g.id from fleet.instance_group g join fleet.instance i on i.tenant_id = g.tenant_id and i.id = ?
     where g.tenant_id = ? and g.kind = 'LIVE' and g.id in (select id from asked) and ${matchesSql}`,
    [ids, tenantId, instanceId, instanceId, tenantId, now],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Those of the groups that the tenant has. */
export async function groupsNamed(
  em: Em,
  tenantId: string,
  ids: readonly string[],
): Promise<InstanceGroup[]> {
  return ids.length === 0 ? [] : em.find(InstanceGroup, { tenantId, id: { $in: [...ids] } });
}

/** The most that any input names. */
const mostNamed = 100;

/** Those that it has not, as faults at their places in the list at `path`. */
export async function unknownGroups(
  em: Em,
  tenantId: string,
  ids: readonly string[] | null | undefined,
  path: string,
): Promise<Faults> {
  const named = (ids ?? []).slice(0, mostNamed);
  const known = new Set((await groupsNamed(em, tenantId, named)).map(({ id }) => id));
  const unknown = [...named.entries()].filter(([, id]) => !known.has(id));
  return Object.fromEntries(unknown.map(([at, id]) => [`${path}.${at}`, `There is no group ${id}`]));
}

/** The ids of those who are in any of the groups or have all of the tags, in the order they enrolled. */
export async function targetsOf(
  em: Em,
  tenantId: string,
  { groups, tags }: { groups: readonly InstanceGroup[]; tags: readonly string[] },
  now: Date,
): Promise<string[]> {
  const conditions: FilterQuery<Instance>[] =
    tags.length > 0 ? [instancesMatching({ tags: [...tags] }, now)] : [];
  for (const group of groups) conditions.push(membersOf(group, now));
  if (conditions.length === 0) return [];
  const found = await em.find(
    Instance,
    { $and: [{ tenantId }, { $or: conditions }] },
    { fields: ['id'], orderBy: { id: 'asc' }, disableIdentityMap: true },
  );
  return found.map(({ id }) => id);
}
