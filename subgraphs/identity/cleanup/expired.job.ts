import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const batch = 1_000;

/**
 * What ends by itself and how long it is kept after that, for questions: table, and the column with its end.
 * Sessions go with their refresh tokens by the foreign key.
 */
const ended: readonly { table: string; column: string; keepMs: number }[] = [
  { table: 'mail_token', column: 'expires_at', keepMs: 7 * day },
  { table: 'login_challenge', column: 'expires_at', keepMs: day },
  { table: 'oauth_issued', column: 'expires_at', keepMs: 30 * day },
  { table: 'oauth_codes', column: 'expires_at', keepMs: 30 * day },
  { table: 'refresh_token', column: 'expires_at', keepMs: day },
  { table: 'session', column: 'expires_at', keepMs: 30 * day },
  { table: 'session', column: 'revoked_at', keepMs: 30 * day },
  { table: 'attempt', column: 'last_attempt_at', keepMs: 2 * day },
  { table: 'signing_key', column: 'retires_at', keepMs: day },
  // The audit trail tells what was done by them.
  { table: 'api_key', column: 'expires_at', keepMs: 90 * day },
  { table: 'api_key', column: 'revoked_at', keepMs: 90 * day },
  { table: 'delegation', column: 'expires_at', keepMs: 90 * day },
  { table: 'delegation', column: 'revoked_at', keepMs: 90 * day },
  // As long as fleet knows who has left it.
  { table: 'oauth_client', column: 'revoked_at', keepMs: 365 * day },
];

/** Forgets what has ended. */
export const expiredSweep: Sweep = {
  name: 'expired.forget',
  isLong: true,
  everyMs: hour,
  run: async ({ em, now }) => {
    const counts: number[] = [];
    for (const { table, column, keepMs } of ended) {
      counts.push(await forget(em, table, column, new Date(now.getTime() - keepMs)));
    }
    return counts.includes(batch) ? 'more' : 'done';
  },
};

async function forget(em: SqlEntityManager, table: string, column: string, before: Date): Promise<number> {
  const rows = await em.execute<unknown[]>(
    `delete from identity.${table} where ctid = any(array(
       select ctid from identity.${table} where ${column} < ? limit ${batch} for update skip locked
     )) returning 1`,
    [before.toISOString()],
  );
  return rows.length;
}
