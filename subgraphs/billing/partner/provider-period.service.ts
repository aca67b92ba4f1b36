import type { SqlEntityManager } from '#platform/database/database.js';

/** For how long a provider is told of money that goes back after its client has gone: a bank takes a year and a half at most. */
const toldDays = 550;

/** From now on the tenant is this provider's client, or nobody's: what it paid before is the former one's to earn by. */
export async function keepProvider(
  em: SqlEntityManager,
  tenantId: string,
  provider: string | null,
  at: Date,
): Promise<void> {
  await em.execute(
    `update billing.provider_period set to_at = greatest(?::timestamptz, from_at)
     where tenant_id = ? and to_at is null and provider_id is distinct from ?`,
    [at, tenantId, provider],
  );
  if (provider === null) return;
  await em.execute(
    `insert into billing.provider_period (tenant_id, provider_id, from_at) values (?, ?, ?)
     on conflict (tenant_id) where to_at is null do nothing`,
    [tenantId, provider, at],
  );
}

/** Whether the tenant of the subscription `s` had another provider than now, which may yet earn by what it paid. */
export const hadProviderSql = `exists (select 1 from billing.provider_period h
  where h.tenant_id = s.tenant_id and h.to_at > now() - interval '${toldDays} days')`;

/** Of several tenants, those that had one. */
export async function hadProvider(
  em: SqlEntityManager,
  tenantIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await em.execute<{ tenantId: string }[]>(
    `select s.tenant_id as "tenantId" from billing.subscription s
     where s.tenant_id in (select jsonb_array_elements_text(?::jsonb)) and ${hadProviderSql}`,
    [JSON.stringify(tenantIds)],
  );
  return new Set(rows.map(({ tenantId }) => tenantId));
}
