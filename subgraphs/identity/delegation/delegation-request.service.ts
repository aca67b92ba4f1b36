import { LockMode, type ObjectQuery } from '@mikro-orm/core';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { invalidFields, validate, type Faults } from '#platform/validation.js';
import type { UserViewer } from '#platform/viewer.js';
import type { DelegationRequestChanged } from '#schema/events.js';

import { countingRequest } from '../throttle/throttle.js';
import { requireStanding, requireUnchangedRole } from '../user/standing.service.js';
import { User, UserRole } from '../user/user.entity.js';
import { DelegationRequest, DelegationRequestStatus, statusOf } from './delegation-request.entity.js';
import {
  approveDelegationRules,
  requestDelegationRules,
  type ApproveDelegationInput,
  type DelegationRequestsArgs,
  type RequestDelegationInput,
} from './delegation-request.inputs.js';
import { grantTo, lockProvider, usersChange } from './delegation.service.js';
import { isFor, namedUsers, usersNamed } from './named-users.service.js';

const openMs = 7 * 24 * 60 * 60 * 1000;

/** Requests of a provider for access to a client. Whatever changes one takes the lock on the client's row first. */
export class DelegationRequestService {
  constructor(private readonly entitlements: Entitlements) {}

  /** What the viewer's tenant was asked for; oldest first. */
  async received(operation: Operation, args: DelegationRequestsArgs): Promise<Page<DelegationRequest>> {
    return list(operation, args, { tenantId: operation.tenantId });
  }

  /** What the viewer's tenant has asked its clients for. */
  async sent(operation: Operation, args: DelegationRequestsArgs): Promise<Page<DelegationRequest>> {
    await this.entitlements.requireFeature(operation, 'msp');
    return list(operation, args, { providerId: operation.tenantId });
  }

  async get(operation: Operation, id: string): Promise<DelegationRequest> {
    return find(operation, { tenantId: operation.tenantId, id });
  }

  async getSent(operation: Operation, id: string): Promise<DelegationRequest> {
    await this.entitlements.requireFeature(operation, 'msp');
    return find(operation, { providerId: operation.tenantId, id });
  }

  /** Asks a client for access. What is asked again while it is open is answered by what was asked. */
  async request(operation: Operation, input: RequestDelegationInput): Promise<DelegationRequest> {
    const viewer = operation.requireUser();
    await this.entitlements.requireFeature(operation, 'msp');
    const { clientId, role, expiresInHours, userEmails, reason } = validate(requestDelegationRules, input);
    await requireClient(operation, clientId);
    // They can not be locked in a transaction of the client's: read anew, and just before it.
    const { tenantId, userId: id } = viewer;
    const user = await operation.database.forTenant(tenantId).findOne(User, { tenantId, id });
    requireUnchangedRole(viewer, user);
    const make = async () =>
      operation.write(async (write) => {
        const { em, audit } = write;
        const now = operation.clock.now();
        if ((await lockProvider(em, clientId)) !== viewer.tenantId) throw notFound('Client');
        const userIds = await usersNamed(em, userEmails);
        const open = await em.findOne(DelegationRequest, { tenantId: clientId, ...isOpen(now) });
        const isSame =
          open?.role === role &&
          open.expiresInHours === expiresInHours &&
          open.reason === reason &&
          open.userIds?.join() === userIds?.join();
        const asked = { role, expiresInHours, ...usersChange(userIds), reason };
        audit({ changes: { actorTenant: viewer.tenantId, ...asked } });
        if (open && !isSame)
          throw new ApiError('CONFLICT', 'The client has yet to answer another request', {
            reason: 'REQUEST_PENDING',
          });
        if (open) {
          audit({ target: open.id });
          tell(operation, write, open, 'requestDelegation', 'identity.delegation-request.repeated');
          return open;
        }
        const request = Object.assign(new DelegationRequest(), {
          tenantId: clientId,
          id: newId('delegationRequest'),
          providerId: viewer.tenantId,
          role,
          expiresInHours,
          userIds,
          reason,
          requestedBy: viewer.userId,
          requestedAt: now,
          expiresAt: new Date(now.getTime() + openMs),
          decision: null,
          decidedAt: null,
          decidedBy: null,
          delegationId: null,
        });
        em.persist(request);
        audit({ target: request.id });
        tell(operation, write, request, 'requestDelegation');
        return request;
      }, clientId);
    return countingRequest(operation, clientId, make);
  }

  /** Takes a request back that is open. Again changes nothing. */
  async withdraw(operation: Operation, id: string): Promise<DelegationRequest> {
    const viewer = operation.requireUser();
    const { tenantId } = await find(operation, { providerId: viewer.tenantId, id });
    return decide(
      operation,
      { tenantId, id },
      DelegationRequestStatus.WITHDRAWN,
      'withdrawDelegationRequest',
    );
  }

  /** Of the client: says no. Again changes nothing. */
  async decline(operation: Operation, id: string): Promise<DelegationRequest> {
    const { tenantId } = operation;
    return decide(operation, { tenantId, id }, DelegationRequestStatus.DECLINED, 'declineDelegation');
  }

  /** Of the client: grants what was asked for, or a part of it, in the place of what was granted before. */
  async approve(
    operation: Operation,
    id: string,
    input: ApproveDelegationInput | null | undefined,
  ): Promise<DelegationRequest> {
    const viewer = operation.requireUser();
    const { tenantId } = viewer;
    const wanted = validate(approveDelegationRules, input ?? {});
    const action = 'approveDelegation';
    return decide(
      operation,
      { tenantId, id },
      DelegationRequestStatus.APPROVED,
      action,
      async (write, request) => {
        const role = wanted.role ?? request.role;
        const expiresInHours = wanted.expiresInHours ?? request.expiresInHours;
        const userIds = (await usersNamed(write.em, wanted.userEmails)) ?? (await usersLeft(write, request));
        requireNoMore(request, { role, expiresInHours, userIds });
        const { reason, providerId } = request;
        const now = operation.clock.now();
        const granted = { role, expiresInHours, userIds, reason };
        const delegation = await grantTo(write, viewer, providerId, granted, now);
        request.delegationId = delegation.id;
        const { id, expiresAt } = delegation;
        const changes = { role, expiresAt, provider: providerId, delegation: id, ...usersChange(userIds) };
        write.audit({ changes });
      },
    );
  }
}

/** Answers a request that is open, under the lock by which grants take turns. */
async function decide(
  operation: Operation,
  { tenantId, id }: Pick<DelegationRequest, 'tenantId' | 'id'>,
  decision: NonNullable<DelegationRequest['decision']>,
  action: string,
  work?: (write: Write, request: DelegationRequest) => Promise<void>,
): Promise<DelegationRequest> {
  const viewer = operation.requireUser();
  return operation.write(async (write) => {
    const { em, audit } = write;
    const now = operation.clock.now();
    const isOwn = tenantId === viewer.tenantId;
    if (isOwn) await requireStanding(em, viewer);
    await lockProvider(em, tenantId);
    const request = await em.findOne(
      DelegationRequest,
      { tenantId, id },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!request) throw notFound('Request');
    audit({ target: id, ...(isOwn ? {} : { changes: { actorTenant: viewer.tenantId } }) });
    if (request.decision === decision) return request;
    if (statusOf(request, now) !== DelegationRequestStatus.PENDING)
      throw new ApiError('CONFLICT', 'The request can not be answered any more', { reason: 'REQUEST_ENDED' });
    await work?.(write, request);
    Object.assign(request, { decision, decidedAt: now, decidedBy: viewer.userId });
    tell(operation, write, request, action);
    return request;
  }, tenantId);
}

/** Those whom a request names and who are still of the provider; null where it is for all. */
async function usersLeft(
  { em }: Write,
  { providerId, userIds }: DelegationRequest,
): Promise<string[] | null> {
  if (userIds === null) return null;
  const left = await namedUsers(em, providerId, userIds);
  if (left.length === 0)
    throw new ApiError('CONFLICT', 'Nobody of those whom it names is of the provider any more', {
      reason: 'NOBODY_LEFT',
    });
  return left.map(({ id }) => id);
}

/** Throws VALIDATION_FAILED when more is granted than was asked for. Roles that can not be compared are more. */
function requireNoMore(
  asked: DelegationRequest,
  { role, expiresInHours, userIds }: Pick<DelegationRequest, 'role' | 'expiresInHours' | 'userIds'>,
): void {
  const isLess = asked.role === UserRole.ADMIN || role === asked.role || role === UserRole.VIEWER;
  const details: Faults = {
    ...(isLess ? {} : { 'input.role': `Only ${asked.role} was asked for` }),
    ...(expiresInHours > asked.expiresInHours
      ? { 'input.expiresInHours': `Only ${asked.expiresInHours} hours were asked for` }
      : {}),
    ...(userIds?.every((id) => isFor(asked, id)) === false
      ? { 'input.userEmails': 'It was asked for others' }
      : {}),
  };
  if (Object.keys(details).length > 0) throw invalidFields(details);
}

/** Before a transaction is bound to a tenant that the caller names. */
async function requireClient(operation: Operation, clientId: string): Promise<void> {
  const found = await operation.em.execute<unknown[]>(
    'select 1 from identity.msp_client where tenant_id = ? and id = ?',
    [operation.tenantId, clientId],
  );
  if (found.length === 0) throw notFound('Client');
}

async function find(operation: Operation, which: ObjectQuery<DelegationRequest>): Promise<DelegationRequest> {
  const found = await operation.em.findOne(DelegationRequest, which);
  if (!found) throw notFound('Request');
  return found;
}

async function list(
  operation: Operation,
  args: DelegationRequestsArgs,
  whose: ObjectQuery<DelegationRequest>,
): Promise<Page<DelegationRequest>> {
  const window = pageWindow(args);
  const { clientId, isPending } = args;
  const open = isOpen(operation.clock.now());
  const which: ObjectQuery<DelegationRequest> = {
    $and: [
      whose,
      clientId == null ? {} : { tenantId: clientId },
      isPending == null ? {} : isPending ? open : { $not: open },
    ],
  };
  const rows = await operation.em.find(
    DelegationRequest,
    { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
    { orderBy: { id: 'asc' }, limit: window.size + 1 },
  );
  return toPage(rows, window, () => operation.em.count(DelegationRequest, which));
}

function isOpen(now: Date): ObjectQuery<DelegationRequest> {
  return { decision: null, expiresAt: { $gt: now } };
}

/**
 * For the client to see, live; the provider and its trail are told of it by `followRequests`, of what was repeated the trail
 * alone.
 */
function tell(
  operation: Operation,
  write: Write,
  request: DelegationRequest,
  action: string,
  topic:
    | 'identity.delegation-request.changed'
    | 'identity.delegation-request.repeated' = 'identity.delegation-request.changed',
): void {
  const { userId: actor, tenantId: actorTenant }: UserViewer = operation.requireUser();
  const { tenantId, id, providerId, role, expiresInHours, userIds, reason, decision, delegationId } = request;
  write.publish({
    topic,
    tenantId,
    entityId: id,
    payload: {
      requestId: id,
      providerId,
      role,
      expiresInHours,
      userIds,
      reason,
      decision,
      delegationId,
      cause: { action, actor, actorTenant, clientAddress: operation.request.clientAddress },
    } satisfies DelegationRequestChanged,
  });
}
