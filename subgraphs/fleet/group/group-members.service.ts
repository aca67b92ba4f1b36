import { raw, type FilterQuery } from '@mikro-orm/core';

import type { Database } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { Faults } from '#platform/validation.js';

import { Instance } from '../instance/instance.entity.js';
import { InstanceGroup } from './group.entity.js';
import { filteredSql, filtersSql, instancesMatching, matchesSql } from './group.filter.js';

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

/** Which of these groups instances are in now; those that are in none are left out. */
export async function groupsOf(
  database: Database,
  { tenantId, instanceIds }: { tenantId: string; instanceIds: readonly string[] },
  groupIds: readonly string[],
  now: Date,
): Promise<Map<string, Set<string>>> {
  const rows = await database.select<{ id: string; places: number[] }>(
    tenantId,
    `with asked as (select id, at::integer from jsonb_array_elements_text(?::jsonb) with ordinality as a (id, at)),
       g as materialized (${filtersSql} and kind = 'LIVE' and id in (select id from asked)),
       i as materialized (${filteredSql} and id = any (array(select jsonb_array_elements_text(?::jsonb))))
     select found.id, array_agg(found.at) as places from (
       select m.instance_id as id, a.at from asked a
       join fleet.instance_group_member m on m.tenant_id = ? and m.group_id = a.id
       where m.instance_id = any (array(select jsonb_array_elements_text(?::jsonb)))
       union all
       select i.id, a.at from asked a join g on g.id = a.id join i on ${matchesSql}
     ) found group by found.id`,
    [
      JSON.stringify(groupIds),
      tenantId,
      now,
      tenantId,
      JSON.stringify(instanceIds),
      tenantId,
      JSON.stringify(instanceIds),
    ],
  );
  // By their places, as there may be a hundred for each of thousands.
  return new Map(rows.map(({ id, places }) => [id, new Set(places.map((at) => groupIds[at - 1]!))]));
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
