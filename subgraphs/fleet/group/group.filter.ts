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

function contains(text: string): { $ilike: string } {
  return { $ilike: `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
