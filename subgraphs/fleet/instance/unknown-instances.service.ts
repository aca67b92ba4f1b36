import type { SqlEntityManager } from '#platform/database/database.js';
import type { Faults } from '#platform/validation.js';

/** The most that any input names. */
const mostNamed = 1_000;
/** Enough to mend a list by. */
const mostTold = 100;

/** Ids of instances that the tenant has not, as faults at their places in the list at `path`: at most 100. */
export async function unknownInstances(
  em: SqlEntityManager,
  tenantId: string,
  ids: readonly string[] | null | undefined,
  path: string,
): Promise<Faults> {
  if (!ids?.length) return {};
  const named = ids.slice(0, mostNamed);
  const rows = await em.execute<{ id: string }[]>(
    `select i.id from jsonb_to_recordset(?::jsonb) as w (id text)
     join fleet.instance i on i.tenant_id = ? and i.id = w.id`,
    [JSON.stringify(named.map((id) => ({ id }))), tenantId],
  );
  const known = new Set(rows.map(({ id }) => id));
  const unknown = [...named.entries()].filter(([, id]) => !known.has(id)).slice(0, mostTold);
  return Object.fromEntries(unknown.map(([at, id]) => [`${path}.${at}`, `There is no instance ${id}`]));
}
