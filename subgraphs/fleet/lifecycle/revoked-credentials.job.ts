import type { RowReader } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const day = 24 * 60 * 60 * 1000;
/** Longer than any credential lasts, its week of grace included: after that it is refused for its age. */
export const revocationMemoryMs = 40 * day;
const formerMs = 365 * day;
const batch = 5_000;

export interface RevokedCredential {
  instanceId: string;
  belowGeneration: number;
}

/** Credentials that were revoked at or after a moment, over all tenants. */
export async function revokedCredentialsSince(reader: RowReader, since: Date): Promise<RevokedCredential[]> {
  return reader.execute<RevokedCredential[]>(
    `select instance_id as "instanceId", below_generation as "belowGeneration"
     from fleet.revoked_credential where revoked_at >= ?`,
    [since],
  );
}

/** Forgets revocations that no credential is left for, and instances that left a year ago. */
export const lifecycleRetentionSweep: Sweep = {
  name: 'lifecycle.retain',
  everyMs: 600_000,
  async run({ em, now }) {
    const revocations = await em.execute<unknown[]>(
      `delete from fleet.revoked_credential where (tenant_id, instance_id) in (
         select tenant_id, instance_id from fleet.revoked_credential where revoked_at < ? order by revoked_at limit ?
       ) returning 1`,
      [new Date(now.getTime() - revocationMemoryMs), batch],
    );
    const former = await em.execute<unknown[]>(
      `delete from fleet.former_instance where (tenant_id, id) in (
         select tenant_id, id from fleet.former_instance where decommissioned_at < ? order by decommissioned_at limit ?
       ) returning 1`,
      [new Date(now.getTime() - formerMs), batch],
    );
    return revocations.length === batch || former.length === batch ? 'more' : 'done';
  },
};
