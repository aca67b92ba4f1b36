import { advisoryLock } from '../database/advisory-lock.js';
import type { SqlEntityManager } from '../database/database.js';
import { ApiError } from '../errors.js';
import type { Operation } from '../subgraph/operation.js';
import { freePlan } from './free-plan.js';

/** What a tenant may use. A limit of null is unlimited; one that is absent was not granted and counts as zero. */
export interface Entitlement {
  plan: string;
  features: readonly string[];
  limits: Readonly<Record<string, number | null>>;
}

/** One area's view of what tenants may use, as the events of billing left it. */
export class Entitlements {
  constructor(private readonly area: string) {}

  async of(operation: Operation): Promise<Entitlement> {
    return operation.once(Entitlements, () => this.read(operation.em, operation.tenantId));
  }

  /** Throws PLAN_REQUIRED unless the tenant's plan has the feature. */
  async requireFeature(operation: Operation, feature: string): Promise<void> {
    const { plan, features } = await this.of(operation);
    if (features.includes(feature)) return;
    throw new ApiError('PLAN_REQUIRED', `The plan ${plan.toLowerCase()} does not include ${feature}`, {
      details: { feature, plan: plan.toLowerCase() },
    });
  }

  /**
   * Throws LIMIT_REACHED unless one more, or as many as are wanted, fits under the limit. Called in the transaction
   * that adds it, before it does: the lock makes those that add for the same tenant take turns, so that none counts what
   * another is about to add.
   */
  async requireRoom(
    em: SqlEntityManager,
    tenantId: string,
    limitName: string,
    count: () => Promise<number>,
    wanted = 1,
  ): Promise<void> {
    await this.lock(em, tenantId, limitName);
    const { plan, limits } = await this.read(em, tenantId);
    const limit = limits[limitName] === undefined ? 0 : limits[limitName];
    if (limit === null) return;
    const used = await count();
    if (used + wanted <= limit) return;
    throw new ApiError('LIMIT_REACHED', `The plan ${plan.toLowerCase()} allows ${limit} ${limitName}`, {
      reason: `${limitName.toUpperCase()}_LIMIT`,
      details: { limit, used },
    });
  }

  /** Held until the transaction ends: what counts under the limit changes for one at a time. */
  async lock(em: SqlEntityManager, tenantId: string, limitName: string): Promise<void> {
    // Not the tenant's own row: it may not exist yet (no row means Free), and two inserts of it would not wait.
    await advisoryLock(em, `${this.area}.${limitName}`, tenantId);
  }

  private async read(em: SqlEntityManager, tenantId: string): Promise<Entitlement> {
    const [row] = await em.execute<Entitlement[]>(
      `select plan, features, limits from ${this.area}.entitlement where tenant_id = ?`,
      [tenantId],
    );
    return row ?? freePlan;
  }
}
