import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const batch = 1_000;

interface Ended {
  table: string;
  column: string;
  keepMs: number;
  /** What has to be so beside. */
  also?: string;
}

/**
 * What ends by itself and how long it is kept after that, for questions: table, and the column with its end.
 * Sessions go with their refresh tokens by the foreign key.
 */
const ended: readonly Ended[] = [
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
  // With what it has granted, which may last longer.
  {
    table: 'delegation_request',
    column: 'expires_at',
    keepMs: 90 * day,
    also: `not exists (select from identity.delegation d
      where d.tenant_id = delegation_request.tenant_id and d.id = delegation_request.delegation_id)`,
  },
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
    for (const each of ended) {
      counts.push(await forget(em, each, new Date(now.getTime() - each.keepMs)));
    }
    return counts.includes(batch) ? 'more' : 'done';
  },
};

async function forget(
  em: SqlEntityManager,
  { table, column, also = 'true' }: Ended,
  before: Date,
): Promise<number> {
  const rows = await em.execute<unknown[]>(
    `delete from identity.${table} where ctid = any(array(
       select ctid from identity.${table} where ${column} < ? and ${also} limit ${batch} for update skip locked
     )) returning 1`,
    [before.toISOString()],
  );
  return rows.length;
}
