import type { Sweep } from '#platform/membership/sweep.js';

/** Twice as many as are shown. */
const kept = 200;
const batch = 5_000;

/** Forgets what policies were long ago, as a repository may change one each time that it is looked at. */
export const policyVersionRetentionSweep: Sweep = {
  name: 'policy-version.forget',
  everyMs: 3_600_000,
  async run({ em }) {
    const gone = await em.execute<unknown[]>(
      `delete from governance.policy_version where (tenant_id, policy_id, version) in (
         select v.tenant_id, v.policy_id, v.version from governance.policy p
         join governance.policy_version v on v.tenant_id = p.tenant_id and v.policy_id = p.id
           and v.version <= p.version - ${kept}
         where p.version > ${kept} limit ${batch}) returning 1`,
    );
    return gone.length === batch ? 'more' : 'done';
  },
};
