import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { BillingSubscription } from '../subscription/subscription.entity.js';

/** A subscription that has something due, and what time it is for its tenant. */
export interface DueSubscription {
  row: BillingSubscription;
  at: Date;
}

type DueColumn = 'dunningAt' | 'trialNoticeAt';

const columns = { dunningAt: 'dunning_at', trialNoticeAt: 'trial_notice_at' } as const;
const lockMode = LockMode.PESSIMISTIC_PARTIAL_WRITE;

/**
 * What time it is for a tenant: the machine's, and in a panel with test clocks as much more as the tenant's was advanced.
 * Without them nothing is read.
 */
export class TenantTime {
  /** An interval in SQL: how far the clock `c` that `joinSql` joins is ahead. */
  readonly aheadSql: string;

  constructor(readonly hasTestClocks: boolean) {
    this.aheadSql = hasTestClocks
      ? `coalesce(c.ahead_ms, 0) * interval '1 millisecond'`
      : `interval '0 seconds'`;
  }

  /** Joins the clock of the tenant of the row with this alias. */
  joinSql(alias: string): string {
    return this.hasTestClocks ? `left join billing.test_clock c on c.tenant_id = ${alias}.tenant_id` : '';
  }

  /** When it is `now` for the machine. */
  async at(em: SqlEntityManager, tenantId: string, now: Date): Promise<Date> {
    if (!this.hasTestClocks) return now;
    const [row] = await em.execute<{ aheadMs: string }[]>(
      'select ahead_ms as "aheadMs" from billing.test_clock where tenant_id = ?',
      [tenantId],
    );
    return new Date(now.getTime() + Number(row?.aheadMs ?? 0));
  }

  /** How many milliseconds the clocks of several tenants are ahead; those that are not are left out. */
  async ahead(em: SqlEntityManager, tenantIds: readonly string[]): Promise<Map<string, number>> {
    if (!this.hasTestClocks) return new Map();
    const rows = await em.execute<{ tenantId: string; aheadMs: string }[]>(
      `select tenant_id as "tenantId", ahead_ms as "aheadMs" from billing.test_clock
       where tenant_id in (select jsonb_array_elements_text(?::jsonb))`,
      [JSON.stringify(tenantIds)],
    );
    return new Map(rows.map(({ tenantId, aheadMs }) => [tenantId, Number(aheadMs)]));
  }

  /** Those of several tenants whose clock is on its way: each of its steps looks at Stripe, and so does whoever comes after the last. */
  async onTheirWay(em: SqlEntityManager, tenantIds: readonly string[]): Promise<Set<string>> {
    if (!this.hasTestClocks) return new Set();
    // Waits for steps that are just being written, which may be the last ones.
    const rows = await em.execute<{ tenantId: string; status: string }[]>(
      `select tenant_id as "tenantId", status from billing.test_clock
       where tenant_id in (select jsonb_array_elements_text(?::jsonb)) order by tenant_id for share`,
      [JSON.stringify(tenantIds)],
    );
    return new Set(rows.filter(({ status }) => status === 'ADVANCING').map(({ tenantId }) => tenantId));
  }

  /** For the viewer's tenant. */
  async of(operation: Operation): Promise<Date> {
    const now = operation.clock.now();
    if (!this.hasTestClocks) return now;
    return operation.once(TenantTime, async () => this.at(operation.em, operation.tenantId, now));
  }

  /** A query with rows while there is somebody for `due`, `?` standing for now. */
  dueSql(column: DueColumn): string {
    return `select from billing.subscription s ${this.joinSql('s')}
      where s.${columns[column]} <= ?::timestamptz + ${this.aheadSql}`;
  }

  /** Those for whose tenants the moment in `column` has come, held until the transaction ends. */
  async due(
    em: SqlEntityManager,
    column: DueColumn,
    { now, limit }: { now: Date; limit: number },
  ): Promise<DueSubscription[]> {
    if (!this.hasTestClocks) {
      const rows = await em.find(
        BillingSubscription,
        { [column]: { $lte: now } },
        { orderBy: { [column]: 'asc' }, limit, lockMode },
      );
      return rows.map((row) => ({ row, at: now }));
    }
    const found = await em.execute<{ tenantId: string; aheadMs: string }[]>(
      `select s.tenant_id as "tenantId", coalesce(c.ahead_ms, 0) as "aheadMs"
       from billing.subscription s ${this.joinSql('s')}
       where s.${columns[column]} <= ?::timestamptz + ${this.aheadSql}
       order by s.${columns[column]} limit ${limit} for no key update of s skip locked`,
      [now],
    );
    const ahead = new Map(found.map(({ tenantId, aheadMs }) => [tenantId, Number(aheadMs)]));
    const rows = await em.find(
      BillingSubscription,
      { tenantId: { $in: [...ahead.keys()] } },
      { orderBy: { [column]: 'asc' }, lockMode },
    );
    return rows.map((row) => ({ row, at: new Date(now.getTime() + ahead.get(row.tenantId)!) }));
  }
}
