import type { Operation } from '#platform/subgraph/operation.js';

import { statusSql } from '../instance/instance.status.js';
import type { FleetSummary } from './fleet-summary.js';

/** Counts and totals over a tenant's fleet. */
export class SummaryService {
  async summary(operation: Operation): Promise<FleetSummary> {
    return operation.once(SummaryService, async () => {
      const [totals] = await operation.em.execute<FleetSummary[]>(
        `select count(*)::int as "totalInstances",
           (count(*) filter (where status = 'HEALTHY'))::int as "healthy",
           (count(*) filter (where status = 'DEGRADED'))::int as "degraded",
           (count(*) filter (where status = 'OFFLINE'))::int as "offline",
           ${asInt('sum(apps_count)')} as "totalApps",
           ${asInt('sum(cpu_cores)')} as "totalCpuCores",
           ${asInt('round(sum(memory_gb))')} as "totalMemoryGb"
         from (
           select ${statusSql} as status, apps_count, cpu_cores, memory_gb from fleet.instance where tenant_id = ?
         ) as instances`,
        [operation.clock.now(), operation.tenantId],
      );
      if (!totals) throw new Error('an aggregate answers one row');
      return totals;
    });
  }
}

/** Nodes are believed what they report, but no report may make a total that GraphQL's Int cannot hold. */
function asInt(total: string): string {
  return `least(coalesce(${total}, 0), 2147483647)::int`;
}
