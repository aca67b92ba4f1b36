import type { Sweep } from '#platform/membership/sweep.js';

const batch = 5_000;
// Longer than any clock of ours is off: a token that is forgotten here must have ended everywhere.
const keptMs = 60 * 60 * 1000;

/** Forgets which tokens were used, once none of them would be taken any more. */
export const redemptionsSweep: Sweep = {
  name: 'impersonation-redemption.expire',
  everyMs: 600_000,
  async run({ em, now }) {
    const removed = await em.execute<unknown[]>(
      `delete from fleet.impersonation_redemption where (tenant_id, jti) in (
         select tenant_id, jti from fleet.impersonation_redemption where expires_at < ? order by expires_at limit ?
       ) returning 1`,
      [new Date(now.getTime() - keptMs), batch],
    );
    return removed.length === batch ? 'more' : 'done';
  },
};
