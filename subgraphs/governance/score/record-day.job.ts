import type { SqlEntityManager } from '#platform/database/database.js';

/** Keeps how a tenant's score is now as that of its day (UTC): the last of a day stays. */
export async function recordDay(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
  await em.execute(
    `insert into governance.score_day (tenant_id, day, passed, known, applicable, violations, instances)
     select tenant_id, ?::date, sum(passed), sum(known), sum(applicable), sum(violations), sum(instances)
     from (select tenant_id, passed, known, applicable, violations, instances from governance.score_count where tenant_id = ?
       union all select tenant_id, passed, known, applicable, violations, 0 from governance.cluster where tenant_id = ?) judged
     group by tenant_id having sum(applicable) > 0
     on conflict (tenant_id, day) do update set passed = excluded.passed, known = excluded.known,
       applicable = excluded.applicable, violations = excluded.violations, instances = excluded.instances`,
    [now.toISOString().slice(0, 10), tenantId, tenantId],
  );
}
