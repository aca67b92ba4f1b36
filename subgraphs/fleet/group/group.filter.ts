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

/** The same in SQL, whether the live group `g` matches the instance `i`; takes the time once as its parameter. */
export const matchesSql = `case jsonb_typeof(g.filter -> 'tags') when 'array'
    then i.tags @> array(select jsonb_array_elements_text(g.filter -> 'tags')) else true end
  and (g.filter ->> 'status' is null or g.filter ->> 'status' = ${statusSql})
  and (g.filter ->> 'q' is null or strpos(lower(i.name), lower(g.filter ->> 'q')) > 0
    or strpos(lower(i.hostname), lower(g.filter ->> 'q')) > 0)`;

function contains(text: string): { $ilike: string } {
  return { $ilike: `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
