import { LockMode } from '@mikro-orm/core';

import type { MailQueue } from '#platform/mail-queue.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { DelegationRequestChanged, DelegationRequestReceived, MemberChanged } from '#schema/events.js';

import { identityPermissions, type IdentityPermission } from '../permissions.js';
import { DelegationRequest } from './delegation-request.entity.js';
import { lockProvider } from './delegation.service.js';
import { usersChange } from './delegation.service.js';

const mostRecipients = 20;
const withdrawer = 'svc:identity';
const withdraws = 'withdrawDelegationRequest';

/**
 * What a request for access causes beside itself: the client's owners are mailed of a new one, and the provider, whose
 * request is the client's to answer, has it live and in its own trail.
 */
export function followRequests(mails: MailQueue, publicUrl: string): Consumer {
  return {
    topics: ['identity.delegation-request.changed', 'identity.delegation-request.repeated'],
    async handle(step) {
      const request = step.event.payload as unknown as DelegationRequestChanged;
      if (request.decision === null && isNew(step)) await mailOwners(step, request, mails, publicUrl);
      await tellProvider(step, request);
    },
  };
}

/** Whoever is removed, or may not act in clients any more, leaves no request behind by which the others would be let in. */
export const endedAskers: Consumer = {
  topics: ['identity.member.changed'],
  async handle(step) {
    const { em, event, now } = step;
    const { userId } = event.payload as unknown as MemberChanged;
    // Their role now: of a change it may be heard a day later, and they have been given back what they had, and asked anew.
    const [user] = await em.execute<{ role: string }[]>(
      'select role from identity."user" where tenant_id = ? and id = ?',
      [event.tenantId, userId],
    );
    const holders = identityPermissions['identity.delegation.use' satisfies IdentityPermission];
    if (user && holders.some((holder) => holder === user.role.toLowerCase())) return;
    const asked = await em.execute<{ tenantId: string; id: string }[]>(
      `select tenant_id as "tenantId", id from identity.delegation_request
       where provider_id = ? and requested_by = ? and decision is null and expires_at > ? order by tenant_id`,
      [event.tenantId, userId, now],
    );
    for (const which of asked) {
      await lockProvider(em, which.tenantId);
      const request = await em.findOne(DelegationRequest, which, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (request?.decision === null) withdraw(step, request);
    }
  },
};

function withdraw({ event, now, publish }: ConsumerStep, request: DelegationRequest): void {
  const { tenantId, id, providerId, role, expiresInHours, reason } = request;
  Object.assign(request, { decision: 'WITHDRAWN', decidedAt: now, decidedBy: null });
  const cause = { action: withdraws, actor: withdrawer, actorTenant: providerId, clientAddress: '' };
  publish({
    topic: 'identity.delegation-request.changed',
    tenantId,
    entityId: id,
    payload: {
      requestId: id,
      providerId,
      role,
      expiresInHours,
      reason,
      decision: 'WITHDRAWN',
      delegationId: null,
      cause,
    } satisfies DelegationRequestChanged,
  });
  publish({
    ...auditEvent(
      { name: withdraws, args: {} },
      {
        tenantId,
        target: id,
        actor: withdrawer,
        actorKind: 'service',
        clientAddress: '',
        changes: { actorTenant: providerId, requestedBy: request.requestedBy },
      },
    ),
    causedBy: event.causedBy,
  });
}

/** What was asked for already is for the trail alone. */
function isNew({ event }: ConsumerStep): boolean {
  return event.topic === 'identity.delegation-request.changed';
}

async function tellProvider(
  step: ConsumerStep,
  {
    requestId,
    providerId,
    role,
    expiresInHours,
    userIds,
    reason,
    delegationId,
    cause,
  }: DelegationRequestChanged,
): Promise<void> {
  const { em, event, publish } = step;
  const isThere = await em.execute<unknown[]>('select 1 from identity.tenant where id = ?', [providerId]);
  if (isThere.length === 0) return;
  const { tenantId: clientId } = event;
  if (isNew(step))
    publish({
      topic: 'identity.delegation-request.received',
      tenantId: providerId,
      entityId: requestId,
      payload: { requestId, clientId } satisfies DelegationRequestReceived,
    });
  const { action, actor, actorTenant, clientAddress } = cause;
  publish({
    ...auditEvent(
      { name: action, args: {} },
      {
        tenantId: providerId,
        target: requestId,
        actor,
        actorKind: actor === withdrawer ? 'service' : 'user',
        ...(actorTenant === providerId ? {} : { actorTenant }),
        // Where a client's people are is not its provider's to know.
        clientAddress: actorTenant === providerId ? clientAddress : '',
        changes: {
          client: clientId,
          role,
          expiresInHours,
          ...usersChange(userIds ?? null),
          reason,
          ...(delegationId ? { delegation: delegationId } : {}),
        },
      },
    ),
    causedBy: event.causedBy,
  });
}

async function mailOwners(
  { em, event, enqueue }: ConsumerStep,
  { providerId, role, expiresInHours, userIds, reason, cause }: DelegationRequestChanged,
  mails: MailQueue,
  publicUrl: string,
): Promise<void> {
  const { tenantId } = event;
  const [asker] = await em.execute<{ provider: string; name: string }[]>(
    `select t.name as provider, u.name from identity.tenant t
     join identity."user" u on u.tenant_id = t.id and u.id = ? where t.id = ?`,
    [cause.actor, providerId],
  );
  const owners = await em.execute<{ email: string }[]>(
    `select email from identity."user" where tenant_id = ? and role = 'OWNER' order by id limit ?`,
    [tenantId, mostRecipients],
  );
  if (!asker) return;
  const named = await em.execute<{ name: string; email: string }[]>(
    `select name, email from identity."user" where tenant_id = ?
       and id in (select jsonb_array_elements_text(?::jsonb)) order by id`,
    [providerId, JSON.stringify(userIds ?? [])],
  );
  // Names and reasons are free text; a line break in one must not start a header or a paragraph.
  const inLine = (text: string) => text.replace(/\s+/g, ' ');
  const [provider, name, words] = [asker.provider, asker.name, reason].map(inLine);
  const whom = named.map((user) => `${inLine(user.name)} (${user.email})`).join(', ');
  const subject = `${provider} asks for access to your organization`;
  const paragraphs = [
    `${name} of ${provider}, your provider, asks to act in your organization as ${role.toLowerCase()} for ` +
      `${expiresInHours === 1 ? 'an hour' : `${expiresInHours} hours`}. What it is for: ${words}`,
    ...(whom ? [`Of them only these are to act: ${whom}.`] : []),
    'Until an owner approves it they see and do nothing. Approve it, for less if you like, or decline it at Members:',
    `${publicUrl}/members`,
    'After seven days without an answer the request ends by itself.',
  ];
  for (const { email: to } of owners) {
    const text = `${paragraphs.join('\n\n')}\n`;
    mails.send({ enqueue }, tenantId, { kind: 'A provider asks for access', to, subject, text });
  }
}
