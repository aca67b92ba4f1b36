import type { Sweep } from '#platform/membership/sweep.js';

const tenantsAtOnce = 200;

// Of the changes of a tenant's counts one of sixteen is marked. One that is added meanwhile stays beside the sum.
const fold = `with marked as (
    select distinct m.tenant_id from fleet.instance_count m where m.is_marked limit ${tenantsAtOnce}
  ), gone as (
    delete from fleet.instance_count c using marked where c.tenant_id = marked.tenant_id returning c.*
  )
  insert into fleet.instance_count (tenant_id, healthy, degraded, offline, apps, cpu_cores, memory_gb, is_marked)
  select g.tenant_id, sum(g.healthy), sum(g.degraded), sum(g.offline), sum(g.apps), sum(g.cpu_cores), sum(g.memory_gb),
    false
  from gone g group by g.tenant_id
  returning tenant_id`;

/** Sums up the changes of each tenant's counts, so that reading them stays cheap. */
export const countFoldSweep: Sweep = {
  name: 'instance-count.fold',
  everyMs: 2_000,
  due: 'select from fleet.instance_count where is_marked',
  async run({ em }) {
    const folded = await em.execute<unknown[]>(fold);
    return folded.length === tenantsAtOnce ? 'more' : 'done';
  },
};
