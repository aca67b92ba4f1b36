import type { Consumer } from '#platform/outbox/consumer.js';
import type { InstanceEnrolled } from '#schema/events.js';

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
