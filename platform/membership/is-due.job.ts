import type { Database } from '../database/database.js';
import { systemQuestions } from '../database/system-em.js';
import type { Logger } from '../logger.js';

/**
 * Whether there is anything for a sweep to do: `sql`, with `now` for each `?`, has a row. One with nothing to do costs no
 * transaction that way. Where no answer comes, it is taken to be yes: the sweep meets the failure itself, and tells of it.
 */
export async function isDue(database: Database, sql: string, now: Date, logger: Logger): Promise<boolean> {
  const values = sql
    .split('?')
    .slice(1)
    .map(() => now);
  try {
    const [row] = await systemQuestions(database).execute<{ isDue: boolean }[]>(
      `select exists (${sql}) as "isDue"`,
      values,
    );
    return row?.isDue ?? true;
  } catch (error) {
    logger.warn({ err: error }, 'it could not be asked which background steps have something to do');
    return true;
  }
}
