import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { InstancesCounted } from '#schema/events.js';

import type { Hearing } from '../hearing/hearing.js';
import type { FleetSummary } from './fleet-summary.js';

// Counts as they were last told, less the instances whose time has run out since, which the expiry sweep has not come
// to yet. Both are small whatever the size of the fleet.
const summarySql = `select
    (told.healthy + told.degraded + told.offline)::int as "totalInstances",
    (told.healthy - due.healthy)::int as "healthy",
    (told.degraded - due.degraded)::int as "degraded",
    (told.offline + due.healthy + due.degraded)::int as "offline",
    least(told.apps, 2147483647)::int as "totalApps",
    least(told.cpu_cores, 2147483647)::int as "totalCpuCores",
    least(round(told.memory_gb), 2147483647)::int as "totalMemoryGb"
  from (
    select coalesce(sum(healthy), 0) as healthy, coalesce(sum(degraded), 0) as degraded,
      coalesce(sum(offline), 0) as offline, coalesce(sum(apps), 0) as apps,
      coalesce(sum(cpu_cores), 0) as cpu_cores, coalesce(sum(memory_gb), 0) as memory_gb
    from fleet.instance_count where tenant_id = ?
  ) told, (
    select count(*) filter (where i.announced_status = 'HEALTHY') as healthy,
      count(*) filter (where i.announced_status = 'DEGRADED') as degraded
    from fleet.instance_expiry e
    join fleet.instance i on i.tenant_id = e.tenant_id and i.id = e.instance_id
    where e.tenant_id = ? and e.check_at <= ? and i.offline_at <= ?
  ) due`;

/** Counts and totals over a tenant's fleet. */
export class SummaryService {
  constructor(private readonly hearing: Hearing) {}

  async summary(operation: Operation): Promise<FleetSummary> {
    return operation.once(SummaryService, async () => {
      const { tenantId } = operation;
      const { countsTo } = this.hearing.at(operation.clock.now());
      const [totals] = await operation.em.execute<FleetSummary[]>(summarySql, [
        tenantId,
        tenantId,
        countsTo,
        countsTo,
      ]);
      if (!totals) throw new Error('an aggregate answers one row');
      return totals;
    });
  }
}

/**
 * Tells how many instances a tenant has after one came or went. Called in the transaction that changed it, under the lock
 * of the instance limit and after the change was flushed.
 */
export async function instancesCounted(em: Operation['em'], tenantId: string): Promise<OutboxEvent> {
  // Events may be told in another order than they took the lock in, and the time within the lock tells the newest.
  const [row] = await em.execute<{ count: number; version: string }[]>(
    `select count(*)::int as count, (extract(epoch from clock_timestamp()) * 1e6)::bigint::text as version
     from fleet.instance where tenant_id = ?`,
    [tenantId],
  );
  return {
    topic: 'fleet.instances.counted',
    tenantId,
    entityId: tenantId,
    entityVersion: Number(row?.version ?? 0),
    payload: { count: row?.count ?? 0 } satisfies InstancesCounted,
  };
}
