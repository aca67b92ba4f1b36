import { advisoryLock } from '../database/advisory-lock.js';
import type { SqlEntityManager } from '../database/database.js';
import { ApiError } from '../errors.js';
import type { Operation } from '../subgraph/operation.js';
import type { Entitlement } from './entitlement.js';
import { freePlan } from './free-plan.js';
import { planWithRoom } from './plans.js';

/** One area's view of what tenants may use, as the events of billing left it. */
export class Entitlements {
  constructor(private readonly area: string) {}

  async of(operation: Operation, em = operation.em): Promise<Entitlement> {
    return operation.once(Entitlements, () => this.read(em, operation.tenantId));
  }

  /**
   * Throws PLAN_REQUIRED unless the tenant's plan has the feature. Inside a transaction it is given that one's `em`: who
   * holds a connection must not wait for a second, which others in the same place hold.
   */
  async requireFeature(operation: Operation, feature: string, em = operation.em): Promise<void> {
    const { plan, features } = await this.of(operation, em);
    if (features.includes(feature)) return;
    throw new ApiError('PLAN_REQUIRED', `The plan ${plan.toLowerCase()} does not include ${feature}`, {
      details: { feature, plan: plan.toLowerCase() },
    });
  }

  /**
   * Throws LIMIT_REACHED unless one more, or as many as are wanted, fits under the limit, and CONFLICT (PAYMENT_OVERDUE)
   * while nothing may be added. Called in the transaction that adds it, before it does: the lock makes those that add for
   * the same tenant take turns, so that none counts what another is about to add.
   */
  async requireRoom(
    em: SqlEntityManager,
    tenantId: string,
    limitName: string,
    count: () => Promise<number>,
    wanted = 1,
  ): Promise<void> {
    await this.lock(em, tenantId, limitName);
    const { plan, limits, isReadOnly } = await this.read(em, tenantId);
    if (isReadOnly) {
      throw new ApiError('CONFLICT', 'A payment is overdue: nothing can be added until it is made', {
        reason: 'PAYMENT_OVERDUE',
      });
    }
    const limit = limits[limitName] === undefined ? 0 : limits[limitName];
    if (limit === null) return;
    const used = await count();
    if (used + wanted <= limit) return;
    throw new ApiError('LIMIT_REACHED', `The plan ${plan.toLowerCase()} allows ${limit} ${limitName}`, {
      reason: `${limitName.toUpperCase()}_LIMIT`,
      details: { limit, used, ...larger(plan, limitName, used + wanted) },
    });
  }

  /**
   * Throws LIMIT_REACHED (STORAGE_LIMIT) while more is stored than the plan allows. It grows by itself, so no transaction
   * can keep it below the limit: what would store more is not added meanwhile.
   */
  async requireStorage(em: SqlEntityManager, tenantId: string, usedGb: () => Promise<number>): Promise<void> {
    const { plan, limits } = await this.read(em, tenantId);
    const limit = limits['storageGb'] === undefined ? 0 : limits['storageGb'];
    if (limit === null) return;
    const used = await usedGb();
    if (used <= limit) return;
    const message = `The plan ${plan.toLowerCase()} allows ${limit} GB of storage, and ${used} are in use`;
    throw new ApiError('LIMIT_REACHED', message, {
      reason: 'STORAGE_LIMIT',
      details: { limit, used, ...larger(plan, 'storageGb', used) },
    });
  }

  /** Whether the tenant's plan has the feature, for work that nobody waits for. */
  async includes(em: SqlEntityManager, tenantId: string, feature: string): Promise<boolean> {
    return (await this.read(em, tenantId)).features.includes(feature);
  }

  /** Held until the transaction ends: what counts under the limit changes for one at a time. */
  async lock(em: SqlEntityManager, tenantId: string, limitName: string): Promise<void> {
    // Not the tenant's own row: it may not exist yet (no row means Free), and two inserts of it would not wait.
    await advisoryLock(em, `${this.area}.${limitName}`, tenantId);
  }

  /** What a tenant has, for who holds a transaction of it. */
  async read(em: SqlEntityManager, tenantId: string): Promise<Entitlement> {
    const [row] = await em.execute<Entitlement[]>(
      `select plan, features, limits, is_read_only as "isReadOnly" from ${this.area}.entitlement where tenant_id = ?`,
      [tenantId],
    );
    return row ?? freePlan;
  }
}

/** The plan under which so much fits, where there is one. */
function larger(plan: string, limitName: string, wanted: number): { plan?: string } {
  const found = planWithRoom(plan, limitName, wanted);
  return found === undefined ? {} : { plan: found.toLowerCase() };
}
