import type { Consumer } from '../outbox/consumer.js';

/** Keeps an area's projection up to date. A version that was overtaken changes nothing, so events may be repeated. */
export function entitlementConsumer(area: string): Consumer {
  return {
    topics: ['billing.entitlement.granted'],
    async handle({ em, event }) {
      const { version, plan, features, limits } = event.payload;
      await em.execute(
        `insert into ${area}.entitlement as e (tenant_id, version, plan, features, limits)
         values (?, ?, ?, array(select jsonb_array_elements_text(?::jsonb)), ?::jsonb)
         on conflict (tenant_id) do update set
           version = excluded.version, plan = excluded.plan, features = excluded.features, limits = excluded.limits
         where e.version < excluded.version`,
        [event.tenantId, version, plan, JSON.stringify(features), JSON.stringify(limits)],
      );
    },
  };
}
