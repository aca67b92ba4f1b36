import type { Consumer } from '#platform/outbox/consumer.js';

/**
 * Canaries of a tenant that is suspended stand still: nobody is heard of whom they could learn anything. From the restore
 * on each has as much time before it as it had.
 */
export const haltedCanaries: Consumer = {
  topics: ['identity.tenant.suspended', 'identity.tenant.restored'],
  async handle({ em, event: { topic, tenantId, occurredAt } }) {
    if (topic === 'identity.tenant.suspended')
      await em.execute(
        `update governance.canary set halted_at = ?
         where tenant_id = ? and finished_at is null and halted_at is null`,
        [occurredAt, tenantId],
      );
    else
      // What began after a restore of which it is heard late has stood still for no time.
      await em.execute(
        `update governance.canary c set halted_at = null, phase_at = phase_at + stood.span, bake_until = bake_until + stood.span
         from (select id, greatest(?::timestamptz - greatest(halted_at, phase_at), '0') as span from governance.canary
           where tenant_id = ? and halted_at is not null for update) stood
         where c.tenant_id = ? and c.id = stood.id`,
        [occurredAt, tenantId, tenantId],
      );
  },
};
