import type { RowReader } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

const day = 24 * 60 * 60 * 1000;
/** Longer than any credential lasts, its week of grace included: after that it is refused for its age. */
export const revocationMemoryMs = 40 * day;
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

/** What ends, its key, the column with its end, and how long it is kept after that. */
const kept = [
  {
    table: 'revoked_credential',
    key: 'tenant_id, instance_id',
    ended: 'revoked_at',
    keptMs: revocationMemoryMs,
  },
  { table: 'former_instance', key: 'tenant_id, id', ended: 'decommissioned_at', keptMs: 365 * day },
  { table: 'enrollment_token', key: 'tenant_id, id', ended: 'expires_at', keptMs: 90 * day },
] as const;

/** Forgets revocations that no credential is left for, instances that left long ago, and tokens that ended. */
export const lifecycleRetentionSweep: Sweep = {
  name: 'lifecycle.retain',
  everyMs: 600_000,
  async run({ em, now }) {
    let isMore = false;
    for (const { table, key, ended, keptMs } of kept) {
      const removed = await em.execute<unknown[]>(
        `delete from fleet.${table} where (${key}) in (
           select ${key} from fleet.${table} where ${ended} < ? order by ${ended} limit ${batch}
         ) returning 1`,
        [new Date(now.getTime() - keptMs)],
      );
      isMore ||= removed.length === batch;
    }
    return isMore ? 'more' : 'done';
  },
};
