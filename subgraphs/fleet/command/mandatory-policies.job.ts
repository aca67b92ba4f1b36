import type { Consumer } from '#platform/outbox/consumer.js';
import type { PolicyChanged } from '#schema/events.js';

/**
 * Knows which tenants have mandatory policies: theirs are the commands that wait when nobody can be asked. And what of all
 * that is measured their policies are about: it is told them from now on.
 */
export const mandatoryPolicies: Consumer = {
  topics: ['governance.policy.changed'],
  async handle({ em, event, now }) {
    const { mandatory, version, metrics = [] } = event.payload as unknown as PolicyChanged;
    await em.execute(
      `insert into fleet.mandatory_policies as m (tenant_id, version, count, metrics, metrics_due_at)
       select t.tenant_id, t.version, t.count, t.metrics, case when t.metrics <> '[]' then t.at end
       from (select ?::text as tenant_id, ?::bigint as version, ?::integer as count, ?::jsonb as metrics,
         ?::timestamptz as at) t
       on conflict (tenant_id) do update set version = excluded.version, count = excluded.count,
         metrics = excluded.metrics,
         metrics_after = case when m.metrics @> excluded.metrics then m.metrics_after else '' end,
         metrics_due_at = case when excluded.metrics = '[]' then null
           when m.metrics @> excluded.metrics then coalesce(m.metrics_due_at, excluded.metrics_due_at)
           else excluded.metrics_due_at end
       where m.version < excluded.version`,
      [event.tenantId, version, mandatory, JSON.stringify(metrics), now],
    );
  },
};
