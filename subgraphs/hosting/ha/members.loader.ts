import type { SqlEntityManager } from '#platform/database/database.js';

import type { Expected } from './patroni/faults.js';
import type { PatroniWatch } from './patroni/watch.js';

/** A server that has not been there for so long is gone for good. */
export const rememberedDays = 7;

export async function readExpected(em: SqlEntityManager, { client }: PatroniWatch): Promise<Expected> {
  const rows = await em.execute<{ name: string }[]>(
    `select name from platform.database_member
     where seen_at > now() - interval '${rememberedDays} days' order by name`,
  );
  return { size: client.size, names: rows.map(({ name }) => name) };
}
