import type { Sweep } from '#platform/membership/sweep.js';

const tenantsAtOnce = 200;
const worthFolding = 20;

const manyRows = `select tenant_id from fleet.instance_count group by tenant_id having count(*) > ${worthFolding}`;

// Tenants are taken by the number of their rows. A row that is added meanwhile stays beside the sum.
const fold = `with many as (
    ${manyRows}
    order by count(*) desc limit ${tenantsAtOnce}
  ), gone as (
    delete from fleet.instance_count c using many where c.tenant_id = many.tenant_id returning c.*
  )
  insert into fleet.instance_count (tenant_id, healthy, degraded, offline, apps, cpu_cores, memory_gb)
  select tenant_id, sum(healthy), sum(degraded), sum(offline), sum(apps), sum(cpu_cores), sum(memory_gb)
  from gone group by tenant_id
  returning tenant_id`;

/** Sums up the changes of each tenant's counts, so that reading them stays cheap. */
export const countFoldSweep: Sweep = {
  name: 'instance-count.fold',
  everyMs: 2_000,
  due: manyRows,
  async run({ em }) {
    const folded = await em.execute<unknown[]>(fold);
    return folded.length === tenantsAtOnce ? 'more' : 'done';
  },
};
