import type { Consumer } from '#platform/outbox/consumer.js';
import type { InstanceEnrolled, InstanceUpdated } from '#schema/events.js';

/** Nodes become clients when they enroll (decision 25). Delivered again, an event changes nothing. */
export const registerClients: Consumer = {
  topics: ['fleet.instance.enrolled'],
  handle: async ({ em, event, now }) => {
    const node = event.payload as unknown as InstanceEnrolled;
    await em.execute(
      `insert into identity.oauth_client
         (tenant_id, instance_id, name, hostname, base_url, redirect_uris, registered_at)
       values (?, ?, ?, ?, ?, ?::jsonb, ?)
       on conflict (tenant_id, instance_id) do update set name = excluded.name, hostname = excluded.hostname,
         base_url = excluded.base_url, redirect_uris = excluded.redirect_uris`,
      [
        event.tenantId,
        node.instanceId,
        node.name,
        node.hostname,
        node.baseUrl,
        JSON.stringify(node.redirectUris),
        now.toISOString(),
      ],
    );
  },
};

/** A renamed node is shown by its new name, and one that left the fleet is no client any more. */
export const followClients: Consumer = {
  topics: ['fleet.instance.updated', 'fleet.instance.decommissioned'],
  handle: async ({ em, event, now }) => {
    if (event.topic === 'fleet.instance.updated') {
      const { name } = event.payload as unknown as InstanceUpdated;
      await em.execute('update identity.oauth_client set name = ? where tenant_id = ? and instance_id = ?', [
        name,
        event.tenantId,
        event.entityId,
      ]);
      return;
    }
    await em.execute(
      `update identity.oauth_client set revoked_at = ?
       where tenant_id = ? and instance_id = ? and revoked_at is null`,
      [now, event.tenantId, event.entityId],
    );
  },
};
