import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { HealthCounted } from '#schema/events.js';

const clientsAtOnce = 100;

/** However much goes on in a client, its provider is told no more often. */
const everyMs = 5_000;

// Those that wait longest first. What is marked meanwhile stays for the next time.
const take = `with gone as (
    delete from fleet.client_mark where tenant_id in (
      select tenant_id from fleet.client_mark group by tenant_id order by min(id) limit ${clientsAtOnce})
    returning tenant_id
  ) select distinct tenant_id as "tenantId" from gone`;

// Nothing is told of a tenant that is being erased: what says whose client it is has gone by then.
const tell = `insert into fleet.client_told as t
    (tenant_id, version, healthy, degraded, offline, critical, warning, info)
  select b.tenant_id, 1, i.healthy, i.degraded, i.offline, a.critical, a.warning, a.info
  from fleet.branding b
    cross join lateral (
      select coalesce(sum(healthy), 0)::int as healthy, coalesce(sum(degraded), 0)::int as degraded,
        coalesce(sum(offline), 0)::int as offline
      from fleet.instance_count c where c.tenant_id = b.tenant_id) i
    cross join lateral (
      select (count(*) filter (where severity = 'CRITICAL'))::int as critical,
        (count(*) filter (where severity = 'WARNING'))::int as warning,
        (count(*) filter (where severity = 'INFO'))::int as info
      from fleet.alert f where f.tenant_id = b.tenant_id and f.status = 'FIRING') a
  where b.parent_tenant_id is not null and b.tenant_id in (select jsonb_array_elements_text(?::jsonb))
  on conflict (tenant_id) do update set version = t.version + 1, healthy = excluded.healthy,
    degraded = excluded.degraded, offline = excluded.offline, critical = excluded.critical,
    warning = excluded.warning, info = excluded.info
  where (t.healthy, t.degraded, t.offline, t.critical, t.warning, t.info)
    is distinct from (excluded.healthy, excluded.degraded, excluded.offline, excluded.critical, excluded.warning, excluded.info)
  returning tenant_id as "tenantId", version::text as version, healthy, degraded, offline, critical, warning, info`;

/** Tells how the fleets of clients are, of each client once for all that has changed meanwhile. */
export const clientHealthSweep: Sweep = {
  name: 'client-health.tell',
  everyMs,
  due: 'select from fleet.client_mark',
  async run({ em, publish }) {
    const marked = await em.execute<{ tenantId: string }[]>(take);
    const changed = await em.execute<(HealthCounted & { tenantId: string; version: string })[]>(tell, [
      JSON.stringify(marked.map(({ tenantId }) => tenantId)),
    ]);
    for (const { tenantId, version, ...figures } of changed) {
      publish({
        topic: 'fleet.health.counted',
        tenantId,
        entityId: tenantId,
        entityVersion: Number(version),
        payload: { ...figures } satisfies HealthCounted,
      });
    }
    return marked.length === clientsAtOnce ? 'more' : 'done';
  },
};

/** A tenant is a client from now on: what was there before fleet knew is told as well. */
export async function markClient(em: SqlEntityManager, tenantId: string): Promise<void> {
  await em.execute('insert into fleet.client_mark (tenant_id) values (?)', [tenantId]);
}
