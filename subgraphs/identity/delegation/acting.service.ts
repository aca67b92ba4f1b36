import { LockMode } from '@mikro-orm/core';

import { signToken } from '#platform/auth/tokens.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { Role, UserViewer } from '#platform/viewer.js';
import type { SecurityRecorded } from '#schema/events.js';

import type { SigningKeyService } from '../signing-key/signing-key.service.js';
import { UserRole } from '../user/user.entity.js';
import { Delegation } from './delegation.entity.js';
import type { ActInTenantPayload } from './delegation.inputs.js';
import { tell } from './delegation.service.js';
import { isFor } from './named-users.service.js';

const tokenSeconds = 15 * 60;

/** Lets users of a provider into the tenants of clients that have granted it. */
export class ActingService {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly keys: SigningKeyService,
    private readonly issuer: string,
  ) {}

  /** A token under the grant in force. Both tenants have it in their trails, and the client hears of it at once. */
  async act(operation: Operation, clientId: string): Promise<ActInTenantPayload> {
    const viewer = operation.requireUser();
    await this.entitlements.requireFeature(operation, 'msp');
    const now = operation.clock.now();
    const grant = await this.find(operation, viewer, clientId);
    const role = limited(grant.role, viewer.role);
    const delegation = await operation.write(async (write) => {
      const locked = await write.em.findOneOrFail(
        Delegation,
        { tenantId: clientId, id: grant.id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (locked.revokedAt) throw ended();
      if (!isFor(locked, viewer.userId)) throw notNamed();
      locked.lastUsedAt = now;
      write.audit({
        target: locked.id,
        actorKind: 'delegate',
        changes: { actorTenant: viewer.tenantId, role },
      });
      tell(write, 'identity.delegation.used', locked);
      return locked;
    }, clientId);
    await this.tellHome(operation, viewer, delegation);
    const left = Math.floor((delegation.expiresAt.getTime() - now.getTime()) / 1000);
    const accessToken = await signToken(
      'delegate',
      this.keys.signingKey(),
      {
        sub: viewer.userId,
        tenant: clientId,
        act: { sub: viewer.userId, tenant: viewer.tenantId },
        sid: viewer.sessionId,
        role: role.toLowerCase(),
        grant: delegation.id,
        grant_exp: Math.floor(delegation.expiresAt.getTime() / 1000),
      },
      { issuer: this.issuer, now, lifetimeSeconds: tokenSeconds },
    );
    return { accessToken, tokenType: 'Bearer', expiresIn: Math.min(tokenSeconds, left), role, delegation };
  }

  /** The newest grant, as the provider may see it. Whose client it is not is NOT_FOUND. */
  private async find(operation: Operation, viewer: UserViewer, clientId: string): Promise<Delegation> {
    const [grant] = await operation.em.find(
      Delegation,
      { tenantId: clientId, providerId: viewer.tenantId },
      { orderBy: { id: 'desc' }, limit: 1 },
    );
    if (!grant) {
      const [client] = await operation.em.execute<unknown[]>(
        'select 1 from identity.msp_client where tenant_id = ? and id = ?',
        [viewer.tenantId, clientId],
      );
      if (!client) throw notFound('Client');
      throw new ApiError('FORBIDDEN', 'The client has granted no access', { reason: 'GRANT_REQUIRED' });
    }
    if (grant.revokedAt || grant.expiresAt <= operation.clock.now()) throw ended();
    return grant;
  }

  private async tellHome(operation: Operation, viewer: UserViewer, delegation: Delegation): Promise<void> {
    const payload = {
      action: 'delegation_used',
      userId: viewer.userId,
      actor: viewer.userId,
      actorKind: 'user',
      target: delegation.id,
      reason: `acts in ${delegation.tenantId}`,
      clientAddress: operation.request.clientAddress,
    } satisfies SecurityRecorded;
    await operation.write(async ({ publish }) =>
      publish({
        topic: 'audit.security.recorded',
        tenantId: viewer.tenantId,
        entityId: delegation.id,
        payload: { ...payload },
      }),
    );
  }
}

function ended(): ApiError {
  return new ApiError('FORBIDDEN', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
}

function notNamed(): ApiError {
  return new ApiError('FORBIDDEN', 'The client has granted access to others of your organization', {
    reason: 'NOT_NAMED',
  });
}

/** A grant gives nobody more than they may do at home, where roles can be compared; otherwise it lets them look. */
function limited(granted: UserRole, own: Role): UserRole {
  if (own === 'owner' || own === 'admin' || own === granted.toLowerCase()) return granted;
  return UserRole.VIEWER;
}
