import { raw, type FilterQuery } from '@mikro-orm/core';

import type { Instance } from '../instance/instance.entity.js';
import { statusSql } from '../instance/instance.status.js';
import type { GroupFilter } from './group.entity.js';

/** The instances that a filter matches now. */
export function instancesMatching({ tags, status, q }: GroupFilter, now: Date): FilterQuery<Instance> {
  return {
    ...(tags && tags.length > 0 ? { tags: { $contains: tags } } : {}),
    ...(status ? { [raw(statusSql, [now])]: status } : {}),
    ...(q ? { $or: [{ name: contains(q) }, { hostname: contains(q) }] } : {}),
  };
}

/**
 * The same in SQL, in three parts, so that neither a filter is unpacked for each instance nor a status found for each
 * group: what filters ask for, what they are asked of, and whether they match.
 */
export const filterColumns = `kind, filter ->> 'status' as status, lower(filter ->> 'q') as q,
    case jsonb_typeof(filter -> 'tags') when 'array'
      then array(select jsonb_array_elements_text(filter -> 'tags')) end as tags`;

/** Takes the time. */
export const filteredColumns = `tags, ${statusSql} as status, lower(name || chr(10) || hostname) as text`;

/** Takes the tenant. */
export const filtersSql = `select id, ${filterColumns} from fleet.instance_group where tenant_id = ?`;

/** Takes the time and the tenant. */
export const filteredSql = `select id, ${filteredColumns} from fleet.instance where tenant_id = ?`;

/** Whether the live group `g` of `filtersSql`, but for its text, matches whoever of `filteredSql` `i` stands for. */
export const matchesKindSql = `(g.tags is null or i.tags @> g.tags) and (g.status is null or i.status = g.status)`;

/** Whether it matches the instance `i`. */
export const matchesSql = `${matchesKindSql} and (g.q is null or strpos(i.text, g.q) > 0)`;

/** Whether a text has this one in it, without case. */
export function contains(text: string): { $ilike: string } {
  return { $ilike: `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
