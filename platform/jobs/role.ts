import { CompiledQuery } from 'kysely';

import type { SqlEntityManager } from '../database/database.js';

/** Runs SQL with `$1` parameters in the transaction. */
export type RunSql = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;

/** Runs a few statements of the transaction of `em` as another role that its login may take, and then goes back. */
export async function asRole<T>(
  em: SqlEntityManager,
  role: string,
  work: (run: RunSql) => Promise<T>,
): Promise<T> {
  if (!em.isInTransaction()) throw new Error('a role is taken for the rest of a transaction');
  const connection = em.getKysely();
  const run: RunSql = async (text, values = []) => {
    const { rows } = await connection.executeQuery(CompiledQuery.raw(text, values));
    return { rows: rows as Record<string, unknown>[] };
  };
  const before = await run(
    `with before as materialized (select current_setting('role') as role)
     select role, set_config('role', $1, true) from before`,
    [role],
  );
  const goBack = async () => run(`select set_config('role', $1, true)`, [before.rows[0]?.['role']]);
  let result: T;
  try {
    result = await work(run);
  } catch (error) {
    // A failed statement has ended the transaction, and its role with it.
    await goBack().catch(() => undefined);
    throw error;
  }
  await goBack();
  return result;
}
