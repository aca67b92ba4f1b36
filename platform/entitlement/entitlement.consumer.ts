import type { SqlEntityManager } from '../database/database.js';
import type { Consumer } from '../outbox/consumer.js';

/** Keeps an area's projection up to date. A version that was overtaken changes nothing, so events may be repeated. */
export function entitlementConsumer(area: string): Consumer {
  return {
    topics: ['billing.entitlement.granted'],
    bearsLate: true,
    handle: async ({ em, event }) => keepEntitlement(em, area, event.tenantId, event.payload),
  };
}

/** Keeps what a tenant was granted, unless something newer is known. */
export async function keepEntitlement(
  em: SqlEntityManager,
  area: string,
  tenantId: string,
  { version, plan, features, limits, isReadOnly }: Record<string, unknown>,
): Promise<void> {
  await em.execute(
    `insert into ${area}.entitlement as e (tenant_id, version, plan, features, limits, is_read_only)
     values (?, ?, ?, array(select jsonb_array_elements_text(?::jsonb)), ?::jsonb, ?)
     on conflict (tenant_id) do update set
       version = excluded.version, plan = excluded.plan, features = excluded.features, limits = excluded.limits,
       is_read_only = excluded.is_read_only
     where e.version < excluded.version`,
    [tenantId, version, plan, JSON.stringify(features), JSON.stringify(limits), isReadOnly === true],
  );
}
