import type { Write } from '#platform/subgraph/operation.js';
import type { CredentialRevoked } from '#schema/events.js';

/** Every generation there could be. */
export const allGenerations = 2_147_483_647;

/** Refuses credentials of an instance below a generation: here at once, in every other process within moments. */
export async function revokeCredentials(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  {
    tenantId,
    instanceId,
    belowGeneration,
  }: { tenantId: string; instanceId: string; belowGeneration: number },
  now: Date,
): Promise<void> {
  await em.execute(
    `insert into fleet.revoked_credential (tenant_id, instance_id, below_generation, revoked_at)
     values (?, ?, ?, ?)
     on conflict (tenant_id, instance_id) do update
       set below_generation = greatest(excluded.below_generation, revoked_credential.below_generation),
         revoked_at = excluded.revoked_at`,
    [tenantId, instanceId, belowGeneration, now],
  );
  publish({
    topic: 'fleet.credential.revoked',
    tenantId,
    entityId: instanceId,
    payload: { instanceId, belowGeneration } satisfies CredentialRevoked,
  });
}
