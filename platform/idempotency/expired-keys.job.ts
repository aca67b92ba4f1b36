import type { Sweep } from '../membership/sweep.js';

const batch = 5_000;

/** Forgets answers whose day is over. */
export function idempotencySweep(area: string): Sweep {
  return {
    name: 'idempotency-key.expire',
    everyMs: 60_000,
    due: `select from ${area}.idempotency_key where expires_at <= ?`,
    async run({ em, now }) {
      const removed = await em.execute<unknown[]>(
        `delete from ${area}.idempotency_key where (tenant_id, key) in (
           select tenant_id, key from ${area}.idempotency_key where expires_at <= ? order by expires_at limit ?
         ) returning 1`,
        [now, batch],
      );
      return removed.length === batch ? 'more' : 'done';
    },
  };
}
