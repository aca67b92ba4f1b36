import type { Consumer } from '#platform/outbox/consumer.js';

/**
 * The panel refuses to hear nodes of a suspended tenant, so their silence is not theirs: sweeps ask here, and put off
 * what silence would end.
 */
export interface Suspension {
  isSuspended: (tenantId: string) => boolean;
  /** How long nodes have to be heard again. */
  deadlineMs: number;
}

// What a node is just reporting about is left alone.
const inProgress = `select tenant_id, command_id, instance_id from fleet.command_invocation
  where tenant_id = ? and status = 'IN_PROGRESS' and due_at < ? for no key update skip locked`;

/** From the restore on, nodes have one full deadline to beat and to tell how commands ended. */
export function restoredTenants(deadlineMs: number): Consumer {
  return {
    topics: ['identity.tenant.restored'],
    async handle({ em, event: { tenantId }, now }) {
      const until = new Date(now.getTime() + deadlineMs);
      await em.execute(
        `update fleet.instance set offline_at = ?
         where tenant_id = ? and announced_status <> 'OFFLINE' and offline_at < ?`,
        [until, tenantId, until],
      );
      await em.execute(
        `update fleet.command_invocation i set due_at = ? from (${inProgress}) found
         where i.tenant_id = found.tenant_id and i.command_id = found.command_id
           and i.instance_id = found.instance_id`,
        [until, tenantId, until],
      );
    },
  };
}
