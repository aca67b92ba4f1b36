import type { Consumer } from '#platform/outbox/consumer.js';
import type { PolicyChanged } from '#schema/events.js';

/** Knows which tenants have mandatory policies: theirs are the changes of plan that wait when nobody can be asked. */
export const mandatoryPolicies: Consumer = {
  topics: ['governance.policy.changed'],
  async handle({ em, event }) {
    const { mandatory, version } = event.payload as unknown as PolicyChanged;
    await em.execute(
      `insert into billing.mandatory_policies as m (tenant_id, version, count) values (?, ?, ?)
       on conflict (tenant_id) do update set version = excluded.version, count = excluded.count
       where m.version < excluded.version`,
      [event.tenantId, version, mandatory],
    );
  },
};
