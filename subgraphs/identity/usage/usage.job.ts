import { usageSweep } from '#platform/metering/usage.job.js';

/** Tells billing each hour how many users and open invitations each tenant has. */
export const userCountSweep = usageSweep({
  area: 'identity',
  topic: 'identity.usage.measured',
  measure: ({ after, atMost, now }) => ({
    sql: `select t.id as "tenantId",
        ((select count(*) from identity.user u where u.tenant_id = t.id)
          + (select count(*) from identity.invitation i where i.tenant_id = t.id and i.accepted_at is null
              and i.revoked_at is null and i.expires_at > ?))::int as users
      from identity.tenant t where t.id > ? order by t.id limit ?`,
    values: [now, after, atMost],
  }),
});
