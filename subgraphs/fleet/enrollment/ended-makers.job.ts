import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { Role } from '#platform/viewer.js';
import type { AccountReclaimed, ApiKeyRevoked, DelegationChanged, MemberChanged } from '#schema/events.js';

import { fleetPermissions, type FleetPermission } from '../permissions.js';
import { EnrollmentTokenEnd } from './enrollment-token.entity.js';
import { lockMaker } from './makers.service.js';

const permission = 'fleet.token.create' satisfies FleetPermission;

/**
 * Ends the enrollment tokens of whoever may make none any more, in whichever tenant they made them: a user who was
 * removed or whose role was lowered, an API key that was revoked, a grant that ended, for all or for whom it names no more.
 * Of an organization whose owner has the account only now end those that anybody had made until then.
 */
export const endedMakersConsumer: Consumer = {
  topics: [
    'identity.member.changed',
    'identity.account.reclaimed',
    'identity.api-key.revoked',
    'identity.delegation.ended',
    'identity.delegation.limited',
  ],
  async handle(step) {
    switch (step.event.topic) {
      case 'identity.api-key.revoked': {
        const { keyId } = step.event.payload as unknown as ApiKeyRevoked;
        return endMaker(step, keyId, EnrollmentTokenEnd.API_KEY_REVOKED);
      }
      case 'identity.delegation.ended': {
        const { delegationId } = step.event.payload as unknown as DelegationChanged;
        return endMaker(step, delegationId, EnrollmentTokenEnd.GRANT_ENDED);
      }
      case 'identity.delegation.limited': {
        const { delegationId, userIds } = step.event.payload as unknown as DelegationChanged;
        return endMaker(step, delegationId, EnrollmentTokenEnd.GRANT_ENDED, userIds ?? []);
      }
      case 'identity.account.reclaimed': {
        const { makers } = step.event.payload as unknown as AccountReclaimed;
        const { tenantId, occurredAt } = step.event;
        return endTokens(step, EnrollmentTokenEnd.ADDRESS_PROVED, {
          sql: `(tenant_id = ? or created_by in (select jsonb_array_elements_text(?::jsonb))) and created_at <= ?`,
          values: [tenantId, JSON.stringify(makers), occurredAt],
        });
      }
      default: {
        const { userId, role } = step.event.payload as unknown as MemberChanged;
        if (role !== null && mayMake(role)) return restoreMaker(step, userId);
        const reason = role === null ? EnrollmentTokenEnd.MEMBER_REMOVED : EnrollmentTokenEnd.ROLE_CHANGED;
        return endMaker(step, userId, reason);
      }
    }
  },
};

function mayMake(role: MemberChanged['role'] & string): boolean {
  return fleetPermissions[permission].some((holder: Role) => holder === role.toLowerCase());
}

async function endMaker(
  step: ConsumerStep,
  maker: string,
  reason: EnrollmentTokenEnd,
  /** Of a grant: the users for whom it goes on. */
  exceptFor?: readonly string[],
): Promise<void> {
  const { em, event, now } = step;
  await lockMaker(em, maker);
  // A grant that has ended for all stays so: that it was limited before may be heard of after that.
  const spared = exceptFor ? JSON.stringify(exceptFor) : null;
  await em.execute(
    `insert into fleet.ended_maker (tenant_id, id, ended_at, narrowed_at, except_ids)
     select ?, ?, ?, ?, case when s.ids is not null then array(select jsonb_array_elements_text(s.ids)) end
     from (select ?::jsonb as ids) s
     on conflict (tenant_id, id) do update
       set ended_at = excluded.ended_at, narrowed_at = excluded.narrowed_at, except_ids = excluded.except_ids
       where excluded.narrowed_at is null or ended_maker.narrowed_at = ended_maker.ended_at`,
    [event.tenantId, maker, now, exceptFor ? now : null, spared],
  );
  const column = reason === EnrollmentTokenEnd.GRANT_ENDED ? 'grant_id' : 'created_by';
  await endTokens(step, reason, {
    sql: `${column} = ? and created_by not in (select jsonb_array_elements_text(?::jsonb))`,
    values: [maker, JSON.stringify(exceptFor ?? [])],
    maker,
  });
}

async function endTokens(
  { em, event, now, publish }: ConsumerStep,
  reason: EnrollmentTokenEnd,
  which: { sql: string; values: unknown[]; maker?: string },
): Promise<void> {
  const ended = await em.execute<{ tenantId: string; id: string; createdBy: string }[]>(
    `update fleet.enrollment_token set revoked_at = ?, revoked_reason = ?
     where (${which.sql}) and revoked_at is null and expires_at > ? and (max_uses is null or uses < max_uses)
     returning tenant_id as "tenantId", id, created_by as "createdBy"`,
    [now, reason, ...which.values, now],
  );
  for (const { tenantId, id, createdBy } of ended) {
    const maker = which.maker ?? createdBy;
    publish({
      ...auditEvent(
        { name: 'revokeEnrollmentToken', args: {} },
        {
          tenantId,
          target: id,
          actor: 'svc:fleet',
          actorKind: 'service',
          clientAddress: '',
          changes: { reason, maker },
        },
      ),
      causedBy: event.causedBy,
    });
  }
}

/** What they made before stays ended. */
async function restoreMaker({ em, event }: ConsumerStep, maker: string): Promise<void> {
  await em.execute('delete from fleet.ended_maker where tenant_id = ? and id = ?', [event.tenantId, maker]);
}

/** No access token lasts as long; whatever is made after it is made by someone who may. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** Forgets whose access ended so long ago that no token of theirs can still be under way. */
export const endedMakersSweep: Sweep = {
  name: 'ended-maker.forget',
  everyMs: 3_600_000,
  async run({ em, now }) {
    await em.execute('delete from fleet.ended_maker where ended_at < ?', [
      new Date(now.getTime() - rememberedMs),
    ]);
    return 'done';
  },
};
