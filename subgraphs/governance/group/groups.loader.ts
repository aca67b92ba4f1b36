import type { SqlEntityManager } from '#platform/database/database.js';

/** What of an instance decides in which groups it is. */
export interface Grouped {
  id: string;
  name: string;
  hostname: string | null;
  tags: readonly string[];
  /** `HEALTHY`, `DEGRADED` or `OFFLINE`, as fleet told last. */
  status: string | null;
}

/** The groups that were asked for, each as a question to an instance. One that there is not has nobody in it. */
export type Groups = ReadonlyMap<string, (node: Grouped) => boolean>;

export const noGroups: Groups = new Map();

interface GroupFilter {
  tags?: string[] | null;
  status?: string | null;
  q?: string | null;
}

/** By two statements for any number of groups. */
export async function readGroups(
  em: SqlEntityManager,
  tenantId: string,
  ids: readonly string[],
): Promise<Groups> {
  if (ids.length === 0) return noGroups;
  const asked = JSON.stringify([...new Set(ids)]);
  const rows = await em.execute<{ id: string; filter: GroupFilter | null }[]>(
    `select id, filter from governance.instance_group
     where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, asked],
  );
  const members = new Map<string, Set<string>>();
  if (rows.some(({ filter }) => filter === null)) {
    const listed = await em.execute<{ groupId: string; ids: string[] }[]>(
      `select group_id as "groupId", jsonb_agg(instance_id) as ids from governance.instance_group_member
       where tenant_id = ? and group_id in (select jsonb_array_elements_text(?::jsonb)) group by group_id`,
      [tenantId, asked],
    );
    for (const each of listed) members.set(each.groupId, new Set(each.ids));
  }
  return new Map(
    rows.map(({ id, filter }) => {
      if (filter) return [id, filterTest(filter)];
      const listed = members.get(id);
      return [id, (node: Grouped) => listed?.has(node.id) === true];
    }),
  );
}

/** As fleet matches its live groups. */
function filterTest({ tags, status, q }: GroupFilter): (node: Grouped) => boolean {
  const text = q?.toLowerCase();
  return (node) =>
    (tags ?? []).every((tag) => node.tags.includes(tag)) &&
    (!status || node.status === status) &&
    (!text || node.name.toLowerCase().includes(text) || node.hostname?.toLowerCase().includes(text) === true);
}
