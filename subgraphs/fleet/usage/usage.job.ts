import { usageSweep } from '#platform/metering/usage.job.js';

/** Tells billing each hour how many instances each tenant has, and how much they store by what they last reported. */
export const fleetUsageSweep = usageSweep({
  area: 'fleet',
  topic: 'fleet.usage.measured',
  measure: ({ after, atMost }) => ({
    sql: `select tenant_id as "tenantId", count(*)::int as instances,
        coalesce(sum(storage_used_gb), 0) as "storageGb"
      from fleet.instance where tenant_id > ? group by tenant_id order by tenant_id limit ?`,
    values: [after, atMost],
  }),
});
