import type { SqlEntityManager } from '#platform/database/database.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';

export const feature = 'governance';
/** How many policies a plan without governance has. */
export const withoutPlan = 3;

export const suspendedReason = `The plan includes no governance: of the policies that are not disabled only the first ${withoutPlan} have a say`;

const entitlements = new Entitlements('governance');

/** How many of a tenant's policies that are not disabled have a say, in the order of their ids; null is all of them. */
export async function mostInForce(em: SqlEntityManager, tenantId: string): Promise<number | null> {
  return (await entitlements.includes(em, tenantId, feature)) ? null : withoutPlan;
}

/** Those that would have a say by themselves, and have none while the plan is too small for so many. */
export async function suspendedPolicies(em: SqlEntityManager, tenantId: string): Promise<string[]> {
  const most = await mostInForce(em, tenantId);
  if (most === null) return [];
  const rows = await em.execute<{ id: string }[]>(
    `select id from governance.policy where tenant_id = ? and enforcement <> 'DISABLED' order by id offset ?`,
    [tenantId, most],
  );
  return rows.map(({ id }) => id);
}
