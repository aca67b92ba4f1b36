import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { keepEntitlement } from '#platform/entitlement/entitlement.consumer.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { planEntitlements } from '#platform/entitlement/plans.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { EntitlementGranted, PlanGrantEnded, TenantRenamed } from '#schema/events.js';

import { lockShares, withoutShares } from '../msp/shares.service.js';
import { Tenant } from './tenant.entity.js';
import { updateTenantRules, type GrantPlanInput, type UpdateTenantInput } from './tenant.inputs.js';

/** Changes to tenants. */
export class TenantService {
  constructor(private readonly entitlements: Entitlements) {}

  /** Gives the viewer's tenant another name. The one that it has changes nothing. */
  async update(operation: Operation, input: UpdateTenantInput): Promise<Tenant> {
    const { name } = validate(updateTenantRules, input);
    const { tenantId: id } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const tenant = await em.findOne(Tenant, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!tenant) throw notFound('Tenant');
      if (await hasProvider(em, id)) {
        throw new ApiError('CONFLICT', 'Its provider decides on its name', { reason: 'MANAGED_BY_PROVIDER' });
      }
      audit({ target: id, changes: { name: { from: tenant.name, to: name } } });
      if (tenant.name === name) return tenant;
      tenant.name = name;
      publish(renamed(id, name));
      return tenant;
    });
  }

  /**
   * Sets a tenant's plan and tells every subgraph, less what a provider has given to its clients. Granting the plan that
   * is in force again changes nothing, unless that was just ended, but that what an overdue payment held up can be added.
   */
  async grantPlan(operation: Operation, input: GrantPlanInput): Promise<Tenant> {
    requireReach(operation, input.tenantId);
    return operation.write(async (write) => {
      const tenant = await lockOwn(write.em, input.tenantId);
      write.audit({ target: tenant.id, changes: { plan: input.plan } });
      const known = await this.entitlements.read(write.em, tenant.id);
      const isSame = tenant.plan === input.plan;
      const { grantEndedVersion, grantVersion } = tenant;
      const isEnding = (grantVersion ?? 0) <= (grantEndedVersion ?? -1);
      if (isSame && !isEnding && !known.isReadOnly) return tenant;
      tenant.plan = input.plan;
      tenant.planVersion += 1;
      tenant.grantVersion = tenant.planVersion;
      const granted = {
        tenantId: tenant.id,
        version: tenant.planVersion,
        plan: tenant.plan,
        features: [...planEntitlements[tenant.plan].features],
        // What a contract gives is not taken away.
        limits: { ...(isSame ? known.limits : planEntitlements[tenant.plan].limits) },
        source: 'GRANT',
      } satisfies EntitlementGranted;
      // identity itself need not wait for its own event, and counts shares under the whole limit.
      await keepEntitlement(write.em, 'identity', tenant.id, granted);
      write.publish({
        topic: 'billing.entitlement.granted',
        tenantId: tenant.id,
        entityId: tenant.id,
        entityVersion: tenant.planVersion,
        payload: {
          ...granted,
          limits: await withoutShares(write.em, tenant.id, granted.limits),
        } satisfies EntitlementGranted,
      });
      return tenant;
    }, input.tenantId);
  }

  /** Ends what was granted: billing knows what is subscribed to, and decides on that anew. Safe to repeat. */
  async endPlanGrant(operation: Operation, tenantId: string): Promise<Tenant> {
    requireReach(operation, tenantId);
    return operation.write(async (write) => {
      const tenant = await lockOwn(write.em, tenantId);
      write.audit({ target: tenant.id });
      tenant.grantEndedVersion = tenant.planVersion;
      write.publish({
        topic: 'identity.tenant.plan-grant-ended',
        tenantId,
        entityId: tenantId,
        payload: { tenantId, version: tenant.planVersion } satisfies PlanGrantEnded,
      });
      return tenant;
    }, tenantId);
  }
}

/** A service acts for one tenant, whatever its permissions are; only administrators reach across. */
function requireReach(operation: Operation, tenantId: string): void {
  const viewer = operation.requireViewer();
  if (viewer.kind === 'service' && viewer.tenantId !== tenantId) throw notFound('Tenant');
}

/** A tenant whose plan is no provider's to decide. */
async function lockOwn(em: SqlEntityManager, id: string): Promise<Tenant> {
  await lockShares(em, id);
  const tenant = await em.findOne(Tenant, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!tenant) throw notFound('Tenant');
  if (!(await hasProvider(em, id))) return tenant;
  throw new ApiError('CONFLICT', 'Its provider decides on its plan and limit', {
    reason: 'MANAGED_BY_PROVIDER',
  });
}

/** Told to areas that keep what a tenant is called. */
export function renamed(tenantId: string, name: string): OutboxEvent {
  const payload = { name } satisfies TenantRenamed;
  return { topic: 'identity.tenant.renamed', tenantId, entityId: tenantId, payload };
}

/** A client's limit is a share of its provider's; another plan from elsewhere would void the share. */
async function hasProvider(em: SqlEntityManager, id: string): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from identity.tenant where id = ? and parent_tenant_id is not null',
    [id],
  );
  return rows.length > 0;
}
