import type { Consumer } from '../outbox/consumer.js';

/**
 * Keeps in `<area>.mandatory_policies` which tenants have mandatory policies: theirs are the actions that wait when nobody
 * can be asked.
 */
export function mandatoryPoliciesConsumer(area: string): Consumer {
  return {
    topics: ['governance.policy.changed'],
    bearsLate: true,
    async handle({ em, event }) {
      const { mandatory, version } = event.payload as { mandatory: number; version: number };
      await em.execute(
        `insert into ${area}.mandatory_policies as m (tenant_id, version, count) values (?, ?, ?)
         on conflict (tenant_id) do update set version = excluded.version, count = excluded.count
         where m.version < excluded.version`,
        [event.tenantId, version, mandatory],
      );
    },
  };
}
