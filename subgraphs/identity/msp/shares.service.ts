import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import type { Entitlement } from '#platform/entitlement/entitlement.js';
import type { Write } from '#platform/subgraph/operation.js';
import type { EntitlementGranted } from '#schema/events.js';

/*
 * What a provider gives to its clients it may no longer use itself. Identity's own projection keeps the whole limit, since
 * shares are counted under it; every other area is told what is left, under the same version, which keeps identity from
 * taking that for its own.
 */

/** The lock of `Entitlements.requireRoom`, which may be taken again in the same transaction. Before any row, in every transaction. */
export async function lockShares(em: SqlEntityManager, tenantId: string): Promise<void> {
  await advisoryLock(em, 'identity.instances', tenantId);
}

/** The limits without what the tenant's clients have been given. Called under the lock. */
export async function withoutShares(
  em: SqlEntityManager,
  tenantId: string,
  limits: Entitlement['limits'],
): Promise<Record<string, number | null>> {
  const instances = limits['instances'] ?? null;
  if (instances === null) return { ...limits };
  const [row] = await em.execute<{ given: number }[]>(
    `select coalesce(sum(instance_limit), 0)::int as given from identity.msp_client where tenant_id = ?`,
    [tenantId],
  );
  // A smaller plan may come when more has been given away than it has.
  return { ...limits, instances: Math.max(0, instances - (row?.given ?? 0)) };
}

/** Tells every area what is left to a provider whose shares have changed. Without a limit nothing changes for it. */
export async function tellRemainder(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  tenantId: string,
): Promise<void> {
  const [whole] = await em.execute<Pick<EntitlementGranted, 'plan' | 'features' | 'limits' | 'isReadOnly'>[]>(
    `select plan, features, limits, is_read_only as "isReadOnly" from identity.entitlement
     where tenant_id = ? and limits ->> 'instances' is not null`,
    [tenantId],
  );
  if (!whole) return;
  const [tenant] = await em.execute<{ version: string }[]>(
    `update identity.tenant set plan_version = plan_version + 1 where id = ? returning plan_version as version`,
    [tenantId],
  );
  if (!tenant) return;
  const version = Number(tenant.version);
  await keepEntitlement(em, 'identity', tenantId, { ...whole, version });
  publish({
    topic: 'billing.entitlement.granted',
    tenantId,
    entityId: tenantId,
    entityVersion: version,
    payload: {
      ...whole,
      tenantId,
      version,
      limits: await withoutShares(em, tenantId, whole.limits),
    } satisfies EntitlementGranted,
  });
}
