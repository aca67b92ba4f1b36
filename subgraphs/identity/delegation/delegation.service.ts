import { LockMode, type ObjectQuery } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import type { UserViewer } from '#platform/viewer.js';
import type { DelegationChanged } from '#schema/events.js';

import { requireStanding } from '../user/standing.service.js';
import { Delegation } from './delegation.entity.js';
import {
  grantDelegationRules,
  limitDelegationRules,
  type DelegationsArgs,
  type GrantDelegationInput,
  type LimitDelegationInput,
} from './delegation.inputs.js';
import { usersNamed } from './named-users.service.js';

const hour = 60 * 60 * 1000;

/** What is told of a grant. */
export const delegationTopics = [
  'identity.delegation.granted',
  'identity.delegation.used',
  'identity.delegation.limited',
  'identity.delegation.ended',
] as const;

/** Grants of a client to its provider. Only users of the client give and end them, never whoever acts under one. */
export class DelegationService {
  constructor(private readonly entitlements: Entitlements) {}

  /** What the viewer's tenant has granted; oldest first, ended ones included. */
  async granted(operation: Operation, args: DelegationsArgs): Promise<Page<Delegation>> {
    return list(operation, args, { tenantId: operation.tenantId });
  }

  /** What clients have granted to the viewer's tenant. */
  async received(operation: Operation, args: DelegationsArgs): Promise<Page<Delegation>> {
    await this.entitlements.requireFeature(operation, 'msp');
    return list(operation, args, { providerId: operation.tenantId });
  }

  async get(operation: Operation, id: string): Promise<Delegation> {
    const found = await operation.em.findOne(Delegation, { tenantId: operation.tenantId, id });
    if (!found) throw notFound('Grant');
    return found;
  }

  /** One that a client has granted to the viewer's tenant. */
  async getReceived(operation: Operation, id: string): Promise<Delegation> {
    await this.entitlements.requireFeature(operation, 'msp');
    const found = await operation.em.findOne(Delegation, { providerId: operation.tenantId, id });
    if (!found) throw notFound('Grant');
    return found;
  }

  /** Grants access, in the place of what was granted before. */
  async grant(operation: Operation, input: GrantDelegationInput): Promise<Delegation> {
    const viewer = operation.requireUser();
    const { tenantId } = viewer;
    const wanted = validate(grantDelegationRules, input);
    const { role } = wanted;
    return operation.write(async (write) => {
      const { em, audit } = write;
      const now = operation.clock.now();
      await requireStanding(em, viewer);
      const provider = await lockProvider(em, tenantId);
      if (!provider) {
        throw new ApiError('CONFLICT', 'The organization has no provider', { reason: 'NO_PROVIDER' });
      }
      const userIds = await usersNamed(em, wanted.userEmails);
      const delegation = await grantTo(write, viewer, provider, { ...wanted, userIds }, now);
      const { id: target, expiresAt } = delegation;
      audit({ target, changes: { role, expiresAt, provider, ...usersChange(userIds) } });
      return delegation;
    });
  }

  /** Names anew who may act under a grant. Whoever is named no more is refused within seconds, all others go on. */
  async limit(operation: Operation, input: LimitDelegationInput): Promise<Delegation> {
    const viewer = operation.requireUser();
    const { tenantId } = viewer;
    const { id, userEmails } = validate(limitDelegationRules, input);
    return operation.write(async (write) => {
      const { em, audit } = write;
      const now = operation.clock.now();
      await requireStanding(em, viewer);
      const delegation = await em.findOne(
        Delegation,
        { tenantId, id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!delegation) throw notFound('Grant');
      if (delegation.revokedAt || delegation.expiresAt <= now) {
        throw new ApiError('CONFLICT', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
      }
      const { userIds: before } = delegation;
      const userIds = await usersNamed(em, userEmails);
      audit({ target: id, changes: { users: { from: before, to: userIds } } });
      if (userIds?.join() === before?.join()) return delegation;
      Object.assign(delegation, { userIds, usersChangedAt: now });
      tell(write, 'identity.delegation.limited', delegation);
      return delegation;
    });
  }

  /** Ends a grant: tokens under it are refused within seconds. Ending it again changes nothing. */
  async revoke(operation: Operation, id: string): Promise<Delegation> {
    const { tenantId, userId } = operation.requireUser();
    return operation.write(async (write) => {
      const delegation = await write.em.findOne(
        Delegation,
        { tenantId, id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!delegation) throw notFound('Grant');
      write.audit({ target: id });
      if (!delegation.revokedAt) end(write, delegation, userId, operation.clock.now());
      return delegation;
    });
  }
}

/**
 * The provider of a tenant, if it has one. The lock on the tenant's row makes grants and requests for them take turns, so
 * that one of each is in force at most.
 */
export async function lockProvider(em: SqlEntityManager, tenantId: string): Promise<string | null> {
  const [tenant] = await em.execute<{ provider: string | null }[]>(
    'select parent_tenant_id as provider from identity.tenant where id = ? for update',
    [tenantId],
  );
  return tenant?.provider ?? null;
}

/** Grants access in the place of what was granted before, under the lock of `lockProvider`. */
export async function grantTo(
  write: Write,
  { tenantId, userId }: UserViewer,
  providerId: string,
  granted: Pick<GrantDelegationInput, 'role' | 'expiresInHours' | 'reason'> & Pick<Delegation, 'userIds'>,
  now: Date,
): Promise<Delegation> {
  const { em } = write;
  const { role, expiresInHours, userIds, reason } = granted;
  const before = await em.find(Delegation, { tenantId, revokedAt: null, expiresAt: { $gt: now } });
  for (const delegation of before) end(write, delegation, userId, now);
  const delegation = Object.assign(new Delegation(), {
    tenantId,
    id: newId('delegation'),
    providerId,
    role,
    userIds,
    usersChangedAt: null,
    reason: reason ?? null,
    grantedBy: userId,
    grantedAt: now,
    expiresAt: new Date(now.getTime() + expiresInHours * hour),
    revokedAt: null,
    revokedBy: null,
    lastUsedAt: null,
  });
  em.persist(delegation);
  tell(write, 'identity.delegation.granted', delegation);
  return delegation;
}

/** Who is named, for the trails; nothing where nobody is. */
export function usersChange(userIds: readonly string[] | null): { users?: readonly string[] } {
  return userIds === null ? {} : { users: userIds };
}

async function list(
  operation: Operation,
  args: DelegationsArgs,
  whose: ObjectQuery<Delegation>,
): Promise<Page<Delegation>> {
  const window = pageWindow(args);
  const { clientId, isInForce } = args.filter ?? {};
  const which: ObjectQuery<Delegation> = {
    $and: [
      whose,
      clientId == null ? {} : { tenantId: clientId },
      isInForce == null ? {} : inForce(isInForce, operation.clock.now()),
    ],
  };
  const rows = await operation.em.find(
    Delegation,
    { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
    { orderBy: { id: 'asc' }, limit: window.size + 1 },
  );
  return toPage(rows, window, () => operation.em.count(Delegation, which));
}

function inForce(isInForce: boolean, now: Date): ObjectQuery<Delegation> {
  return isInForce
    ? { revokedAt: null, expiresAt: { $gt: now } }
    : { $or: [{ revokedAt: { $ne: null } }, { expiresAt: { $lte: now } }] };
}

function end(write: Write, delegation: Delegation, revokedBy: string, now: Date): void {
  Object.assign(delegation, { revokedAt: now, revokedBy });
  tell(write, 'identity.delegation.ended', delegation);
}

/** For the client to see, live; and for everyone who verifies tokens. */
export function tell(
  write: Pick<Write, 'publish'>,
  topic: (typeof delegationTopics)[number],
  { tenantId, id, providerId, userIds }: Pick<Delegation, 'tenantId' | 'id' | 'providerId' | 'userIds'>,
): void {
  write.publish({
    topic,
    tenantId,
    entityId: id,
    payload: { delegationId: id, providerId, userIds } satisfies DelegationChanged,
  });
}
