import type { TokenVerifier } from '#platform/auth/tokens.js';
import { ApiError } from '#platform/errors.js';
import { appendToOutbox } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { SecurityRecorded } from '#schema/events.js';

import type { InstanceService } from '../instance/instance.service.js';
import type { FleetPermission } from '../permissions.js';
import { Warnings } from '../reported/warnings.js';
import type { Impersonation, ImpersonationTokens } from './impersonation-tokens.js';
import {
  impersonateInstanceRules,
  redeemImpersonationRules,
  type ImpersonateInstanceInput,
  type ImpersonateInstancePayload,
  type RedeemImpersonationInput,
  type RedeemImpersonationPayload,
} from './impersonation.inputs.js';

const sessionSeconds = 30 * 60;

/** "Open in node": the panel vouches for one of its users to one of its nodes. */
export class ImpersonationService {
  constructor(
    private readonly instances: InstanceService,
    private readonly tokens: ImpersonationTokens,
    private readonly access: Pick<TokenVerifier, 'isGrantEnded' | 'isSessionEnded'>,
  ) {}

  /** A refusal for want of the permission is put on record before it is answered. */
  async mint(
    operation: Operation,
    instanceId: string,
    input: ImpersonateInstanceInput | null | undefined,
  ): Promise<ImpersonateInstancePayload> {
    await this.requirePermission(operation, instanceId);
    const person = personOf(operation);
    const { userId } = person;
    const reason = validate(impersonateInstanceRules, input ?? {}).reason || null;
    const instance = await this.instances.get(operation, instanceId);
    const { token, jti, expiresAt } = await this.tokens.issue(
      { tenantId: operation.tenantId, instanceId, actorId: userId, reason, ...person },
      operation.clock.now(),
    );
    await operation.write(async ({ audit }) => {
      audit({ target: instanceId, changes: { user: userId, reason, jti } });
    });
    return {
      sessionUrl: `${instance.baseUrl.replace(/\/+$/, '')}/api/cp/session?token=${token}`,
      expiresAt,
    };
  }

  /** For the node that the token is for, once. A refusal is put on record before it is answered. */
  async redeem(operation: Operation, input: RedeemImpersonationInput): Promise<RedeemImpersonationPayload> {
    const node = operation.requireNode();
    const { token } = validate(redeemImpersonationRules, input);
    const checked = await this.tokens.check(token, operation.clock.now());
    if (!checked) return refuse(operation, 'TOKEN_INVALID', 'The token is not valid');
    const { claims, isExpired } = checked;
    if (claims.tenantId !== node.tenantId || claims.instanceId !== node.instanceId) {
      return refuse(operation, 'WRONG_NODE', 'The token is for another node', claims);
    }
    if (isExpired) return refuse(operation, 'TOKEN_EXPIRED', 'The token has expired', claims);
    if (claims.delegation && this.access.isGrantEnded(claims.delegation.grant, claims.actorId)) {
      return refuse(operation, 'GRANT_ENDED', 'The delegated access has ended', claims);
    }
    // With another role or password, or without the account, it has ended too.
    if (claims.sessionId !== null && this.access.isSessionEnded(claims.sessionId)) {
      return refuse(operation, 'ACCESS_ENDED', 'The session that asked for the token has ended', claims);
    }
    if (!(await burn(operation, claims))) {
      return refuse(operation, 'TOKEN_USED', 'The token was used already', claims);
    }
    const { userId, actorId, reason } = claims;
    const warnings = new Warnings();
    warnings.addUnknown(input.unknownFields);
    return {
      user: { id: userId },
      actor: actorId,
      reason,
      expiresIn: secondsOf(claims, operation.clock.now()),
      warnings: warnings.all,
    };
  }

  /** Throws FORBIDDEN, having recorded who tried. */
  private async requirePermission(operation: Operation, instanceId: string): Promise<void> {
    try {
      operation.require('fleet.instance.impersonate' satisfies FleetPermission);
    } catch (error) {
      const viewer = operation.requireViewer();
      // Whatever else was named has no place in the tenant's trail.
      const target = (await this.instances.find(operation, instanceId))?.id;
      await record(operation, {
        userId: viewerId(viewer),
        reason: 'PERMISSION_MISSING',
        actor: viewerId(viewer),
        actorKind: viewer.kind,
        ...(target === undefined ? {} : { target }),
        ...(viewer.kind === 'delegate' ? { grant: viewer.grantId, actorTenant: viewer.actorTenantId } : {}),
      });
      throw error;
    }
  }
}

/** How long the node lets them act: no longer than the grant by which they came. */
function secondsOf({ grantEndsAt }: Impersonation, now: Date): number {
  const left = (grantEndsAt ?? Infinity) - Math.floor(now.getTime() / 1000);
  return Math.max(1, Math.min(sessionSeconds, left));
}

class AlreadyBurned extends Error {}

/** The insert decides between those who come at the same time. False when the token was used before. */
async function burn(operation: Operation, claims: Impersonation): Promise<boolean> {
  const { jti, tenantId, instanceId, userId, actorId, reason, delegation, expiresAt } = claims;
  try {
    await operation.write(async ({ em, audit }) => {
      const burned = await em.execute<unknown[]>(
        `insert into fleet.impersonation_redemption (tenant_id, jti, instance_id, expires_at)
         values (?, ?, ?, ?) on conflict do nothing returning 1`,
        [tenantId, jti, instanceId, expiresAt],
      );
      // Rolls back the audit row of a redemption that is none.
      if (burned.length === 0) throw new AlreadyBurned();
      audit({ target: instanceId, changes: { user: userId, actor: actorId, reason, jti, ...delegation } });
    }, tenantId);
    return true;
  } catch (error) {
    if (error instanceof AlreadyBurned) return false;
    throw error;
  }
}

/** Who opens the node: one of its tenant's own, or a provider's user under the grant that they act by. */
function personOf(
  operation: Operation,
): Pick<Impersonation, 'userId' | 'sessionId' | 'delegation' | 'grantEndsAt'> {
  const { viewer } = operation;
  if (viewer?.kind !== 'delegate') {
    const { userId, sessionId } = operation.requireUser();
    return { userId, sessionId, delegation: null, grantEndsAt: null };
  }
  const { actorId, actorTenantId, sessionId, grantId, grantExpiresAt } = viewer;
  return {
    userId: actorId,
    sessionId,
    delegation: { grant: grantId, actorTenant: actorTenantId },
    grantEndsAt: grantExpiresAt,
  };
}

/** Recorded with the tenant of the node that tried. */
async function refuse(
  operation: Operation,
  reason: string,
  message: string,
  claims?: Impersonation,
): Promise<never> {
  const { tenantId, instanceId } = operation.requireNode();
  // A token of another tenant tells this one nothing about its users.
  const known = claims?.tenantId === tenantId ? claims : undefined;
  await record(operation, {
    userId: known?.userId ?? '',
    reason,
    actor: instanceId,
    actorKind: 'node',
    target: instanceId,
    ...(known
      ? {
          impersonator: known.actorId,
          jti: known.jti,
          audience: known.instanceId,
          ...known.delegation,
        }
      : {}),
  });
  throw new ApiError('BAD_REQUEST', message, { reason });
}

/** In a transaction that the refusal does not undo. */
async function record(
  { database, request, clock, tenantId }: Operation,
  refusal: Omit<SecurityRecorded, 'action' | 'clientAddress'>,
): Promise<void> {
  const { clientAddress, requestId } = request;
  const payload = { action: 'impersonation_refused', clientAddress, ...refusal } satisfies SecurityRecorded;
  await database
    .forTenant(tenantId)
    .transactional(async (em) =>
      appendToOutbox(
        em,
        database.area,
        [{ topic: 'audit.security.recorded', tenantId, entityId: refusal.target ?? refusal.userId, payload }],
        { requestId, at: clock.now() },
      ),
    );
}
