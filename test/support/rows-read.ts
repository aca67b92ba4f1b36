import type { SqlEntityManager } from '#platform/database/database.js';

/** How many rows of a table the transaction has read until now: what its statements cost, whatever the machine is at. */
export async function rowsRead(em: SqlEntityManager, table: string): Promise<number> {
  const [row] = await em.execute<{ rows: number }[]>(
    `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables
     where relid = ?::regclass`,
    [table],
  );
  return row!.rows;
}
