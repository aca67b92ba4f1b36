import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { closingStateOf, reopen } from '../closing/reopen.service.js';
import { setSuspended } from './set-suspended.service.js';
import { Tenant } from './tenant.entity.js';

/**
 * Suspensions by the platform's administrators. A client may be suspended by its provider as well: neither lifts what the
 * other has decided, and it is restored when both have.
 */
export class SuspensionService {
  /** Suspending one that is suspended changes nothing. */
  async suspend(operation: Operation, tenantId: string): Promise<Tenant> {
    if (operation.requireUser().tenantId === tenantId) {
      throw new ApiError('CONFLICT', 'It is your own organization', { reason: 'OWN_TENANT' });
    }
    return this.change(operation, tenantId, true);
  }

  /** Takes a closing back as well. Restoring one that is not suspended changes nothing. */
  async restore(operation: Operation, tenantId: string): Promise<Tenant> {
    return this.change(operation, tenantId, false);
  }

  private async change(operation: Operation, id: string, isSuspended: boolean): Promise<Tenant> {
    const { userId } = operation.requireUser();
    const now = operation.clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      const tenant = await em.findOne(Tenant, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!tenant) throw notFound('Tenant');
      const state = await closingStateOf(em, id);
      audit({ target: id, changes: { suspended: isSuspended } });
      if (tenant.eraseAt && isSuspended && state.isSuspended) {
        // Its closing has suspended it: taken back by an owner, it stays so.
        await em.execute('update identity.tenant set stays_suspended = true where id = ?', [id]);
        return tenant;
      }
      if (tenant.eraseAt) {
        await reopen({ em, publish, now }, tenant, { staysSuspended: isSuspended });
        // One that was let in again by hand is not closed any more, and is suspended as any other.
        if (isSuspended) await setSuspended({ em, publish, now }, id, true);
        return tenant;
      }
      const isByProvider = state.hasProvider && (await keepForClient(em, userId, isSuspended ? now : null));
      if (state.isSuspended !== (isSuspended || isByProvider))
        await setSuspended({ em, publish, now }, id, isSuspended);
      return tenant;
    }, id);
  }
}

/** Keeps what the administrators decided beside what its provider did, and answers whether that has suspended it. */
async function keepForClient(em: SqlEntityManager, userId: string, at: Date | null): Promise<boolean> {
  const [client] = await em.execute<{ isSuspendedByProvider: boolean }[]>(
    `select is_suspended_by_provider as "isSuspendedByProvider" from identity.suspend_client(?, ?::timestamptz)`,
    [userId, at?.toISOString() ?? null],
  );
  // Its 30 days are over: it is being erased.
  if (!client) throw notFound('Tenant');
  return client.isSuspendedByProvider;
}
