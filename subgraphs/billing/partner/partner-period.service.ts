import type { SqlEntityManager } from '#platform/database/database.js';

import type { Partner } from './partner.entity.js';

type Whose = Pick<Partner, 'tenantId' | 'id'>;

/** From now on its customers' payments earn it this much; what was paid before keeps the percentage of then. */
export async function beginPeriod(
  em: SqlEntityManager,
  { tenantId, id, commissionPercent }: Whose & Pick<Partner, 'commissionPercent'>,
  at: Date,
): Promise<void> {
  await endPeriod(em, { tenantId, id }, at);
  await em.execute(
    `insert into billing.partner_period (tenant_id, partner_id, from_at, commission_percent) values (?, ?, ?, ?)`,
    [tenantId, id, at, commissionPercent],
  );
}

/** From now on they earn it nothing. */
export async function endPeriod(em: SqlEntityManager, { tenantId, id }: Whose, at: Date): Promise<void> {
  await em.execute(
    `update billing.partner_period set to_at = greatest(?::timestamptz, from_at)
     where tenant_id = ? and partner_id = ? and to_at is null`,
    [at, tenantId, id],
  );
}
