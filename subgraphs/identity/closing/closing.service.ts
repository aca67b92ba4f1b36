import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import type { TenantClosed } from '#schema/events.js';

import type { AccountMail } from '../email/account-mail.js';
import { makeMailToken, useMailToken } from '../email/mail-tokens.js';
import { lockShares } from '../msp/shares.service.js';
import { setSuspended } from '../tenant/set-suspended.service.js';
import { Tenant } from '../tenant/tenant.entity.js';
import { requireStillProven, type TotpService } from '../totp/totp.service.js';
import { requireStanding, requireUnchangedRole } from '../user/standing.service.js';
import { User, UserRole } from '../user/user.entity.js';
import type { CloseOrganizationInput } from './closing.inputs.js';
import { closingStateOf, reopen, restorableMs } from './reopen.service.js';

/**
 * The end of tenants that are nobody's clients: suspended at once, and erased in 30 days unless an owner, by the mailed
 * link, or an administrator of the panel takes it back. Of clients their providers decide.
 */
export class ClosingService {
  constructor(
    private readonly totp: TotpService,
    private readonly mail: AccountMail,
  ) {}

  /** The owner's own. Takes the password, and a code where codes are on: a stolen token must not end everything. */
  async closeOwn(operation: Operation, input: CloseOrganizationInput): Promise<Tenant> {
    const viewer = operation.requireUser();
    const proven = await this.totp.prove(operation, input);
    return operation.write(async (write) => {
      await lockShares(write.em, viewer.tenantId);
      requireStillProven(await requireStanding(write.em, viewer), proven);
      return this.close(operation, write, viewer.tenantId);
    });
  }

  /** Any other tenant, by an administrator of the panel, who proves the same: what ends with it is not brought back. */
  async closeTenant(
    operation: Operation,
    tenantId: string,
    input: CloseOrganizationInput | null | undefined,
  ): Promise<Tenant> {
    const viewer = operation.requireUser();
    const { tenantId: home, userId: id } = viewer;
    if (home === tenantId) {
      throw new ApiError('CONFLICT', 'It is your own organization', { reason: 'OWN_TENANT' });
    }
    // Clients of before it was asked for name no input.
    if (!input) throw invalid('input.currentPassword', 'Current password is required');
    const proven = await this.totp.prove(operation, input);
    // They can not be locked in a transaction of another tenant: read anew, and just before it.
    const user = await operation.database.forTenant(home).findOne(User, { tenantId: home, id });
    requireStillProven(requireUnchangedRole(viewer, user), proven);
    return operation.write(async (write) => {
      await lockShares(write.em, tenantId);
      return this.close(operation, write, tenantId);
    }, tenantId);
  }

  /** By the link that the owners were mailed. What the panel's administrators have suspended beside stays so. */
  async restoreByLink(operation: Operation, token: string): Promise<Tenant> {
    return useMailToken(operation, token, 'ORGANIZATION_RESTORE', async (write, user) => {
      const tenant = await lockTenant(write.em, user.tenantId);
      const { staysSuspended } = await closingStateOf(write.em, tenant.id);
      write.audit({ target: tenant.id, changes: { closed: false } });
      // Its links end with a closing that is taken back, so there is one.
      await reopen({ ...write, now: operation.clock.now() }, tenant, { staysSuspended });
      return tenant;
    });
  }

  /**
   * Under the lock of the tenant's shares. Closing what is closed changes nothing, and does not put its end off; what
   * was let in again by hand is closed anew.
   */
  private async close(operation: Operation, write: Write, id: string): Promise<Tenant> {
    const { em, publish, audit } = write;
    const now = operation.clock.now();
    const tenant = await lockTenant(em, id);
    const { isSuspended, hasProvider } = await closingStateOf(em, id);
    if (hasProvider) {
      throw new ApiError('CONFLICT', 'Its provider decides on its end', { reason: 'MANAGED_BY_PROVIDER' });
    }
    await requireNobodyNeedsIt(em, id);
    const closed = isSuspended ? tenant.eraseAt : null;
    const eraseAt = closed ?? new Date(now.getTime() + restorableMs);
    audit({ target: id, changes: { closed: true, eraseAt: eraseAt.toISOString() } });
    if (closed) return tenant;
    tenant.eraseAt = eraseAt;
    await em.flush();
    await em.execute('update identity.tenant set stays_suspended = ? where id = ?', [isSuspended, id]);
    if (!isSuspended) await setSuspended({ em, publish, now }, id, true);
    publish({
      topic: 'identity.tenant.closed',
      tenantId: id,
      entityId: id,
      payload: { tenantId: id, eraseAt: eraseAt.toISOString() } satisfies TenantClosed,
    });
    await this.tellOwners(write, tenant, eraseAt, now);
    return tenant;
  }

  private async tellOwners(write: Write, { id, name }: Tenant, eraseAt: Date, now: Date): Promise<void> {
    const owners = await write.em.find(
      User,
      { tenantId: id, role: UserRole.OWNER },
      { orderBy: { id: 'asc' } },
    );
    for (const owner of owners) {
      const token = await makeMailToken(write.em, owner, 'ORGANIZATION_RESTORE', now);
      this.mail.organizationClosed(write, owner, { name, eraseAt, token });
    }
  }
}

async function lockTenant(em: SqlEntityManager, id: string): Promise<Tenant> {
  const tenant = await em.findOne(Tenant, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!tenant) throw notFound('Tenant');
  return tenant;
}

/** Neither clients, who would be left with nobody, nor those who run the panel. */
async function requireNobodyNeedsIt(em: SqlEntityManager, tenantId: string): Promise<void> {
  const [row] = await em.execute<{ clients: number; hasAdministrator: boolean }[]>(
    `select (select count(*)::int from identity.msp_client where tenant_id = ?) as clients,
       exists (select from identity."user" where tenant_id = ? and is_administrator) as "hasAdministrator"`,
    [tenantId, tenantId],
  );
  if (row!.clients > 0) {
    throw new ApiError('CONFLICT', 'It has clients: delete them, and wait for their erasure', {
      reason: 'HAS_CLIENTS',
    });
  }
  if (row!.hasAdministrator) {
    throw new ApiError('CONFLICT', 'Administrators of the panel belong to it', {
      reason: 'ADMINISTRATORS_TENANT',
    });
  }
}
