import { LockMode } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { setSuspended } from './set-suspended.service.js';
import { Tenant } from './tenant.entity.js';

/** Suspensions by the platform's administrators. Those of clients are their provider's to decide. */
export class SuspensionService {
  /** Suspending one that is suspended changes nothing. */
  async suspend(operation: Operation, tenantId: string): Promise<Tenant> {
    if (operation.requireUser().tenantId === tenantId) {
      throw new ApiError('CONFLICT', 'It is your own organization', { reason: 'OWN_TENANT' });
    }
    return this.change(operation, tenantId, true);
  }

  /** Restoring one that is not suspended changes nothing. */
  async restore(operation: Operation, tenantId: string): Promise<Tenant> {
    operation.requireUser();
    return this.change(operation, tenantId, false);
  }

  private async change(operation: Operation, id: string, isSuspended: boolean): Promise<Tenant> {
    return operation.write(async ({ em, publish, audit }) => {
      const tenant = await em.findOne(Tenant, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const [state] = await em.execute<{ isSuspended: boolean; hasProvider: boolean }[]>(
        `select suspended_at is not null as "isSuspended", parent_tenant_id is not null as "hasProvider"
         from identity.tenant where id = ?`,
        [id],
      );
      if (!tenant || !state) throw notFound('Tenant');
      if (state.hasProvider) {
        throw new ApiError('CONFLICT', 'Its provider decides on its suspension', {
          reason: 'MANAGED_BY_PROVIDER',
        });
      }
      audit({ target: id, changes: { suspended: isSuspended } });
      if (state.isSuspended !== isSuspended)
        await setSuspended({ em, publish, now: operation.clock.now() }, id, isSuspended);
      return tenant;
    }, id);
  }
}
