import type { SqlEntityManager } from '#platform/database/database.js';
import type { Write } from '#platform/subgraph/operation.js';
import type { SessionRevoked } from '#schema/events.js';

import { refreshIdleMs, tokensLastMs } from './session-times.js';

export type RevocationReason = SessionRevoked['reason'];

/** Of one user at a time. Who opens another ends the one that was used least lately. */
const liveSessions = 100;

/**
 * Ends a user's sessions, all or all but one, in the transaction of what caused it. However many there are it is one
 * statement, and only of those that may have tokens anybody is told.
 */
export async function endSessions(
  { em, publish }: Write,
  { tenantId, userId }: { tenantId: string; userId: string },
  { now, reason, except = '' }: { now: Date; reason: RevocationReason; except?: string },
): Promise<void> {
  const which = 'tenant_id = ? and user_id = ? and id <> ?';
  const ended = await revoke(em, now, which, [tenantId, userId, except]);
  ended.forEach((session) => tell({ publish }, session, reason));
}

/** The same for everybody in a tenant. */
export async function endSessionsOfTenant(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  tenantId: string,
  { now, reason }: { now: Date; reason: RevocationReason },
): Promise<void> {
  const ended = await revoke(em, now, 'tenant_id = ?', [tenantId]);
  ended.forEach((session) => tell({ publish }, session, reason));
}

/** Keeps the number of a user's sessions within bounds. A few at a time: it is called for each new one. */
export async function endOldestSessions(
  { em, publish }: Pick<Write, 'em' | 'publish'>,
  { tenantId, userId }: { tenantId: string; userId: string },
  now: Date,
): Promise<void> {
  const oldest = `(tenant_id, id) in (select s.tenant_id, s.id from identity.session s
    where s.tenant_id = ? and s.user_id = ? and s.revoked_at is null and s.expires_at > ? and s.last_used_at > ?
    order by s.last_used_at desc, s.id desc offset ${liveSessions} limit ${liveSessions})`;
  const ended = await revoke(em, now, oldest, [tenantId, userId, ...living(now)]);
  ended.forEach((session) => tell({ publish }, session, 'TOO_MANY_SESSIONS'));
}

interface Ended {
  tenantId: string;
  id: string;
  userId: string;
}

/** Marks sessions as ended that live, and answers with those that may have tokens. */
async function revoke(
  em: SqlEntityManager,
  now: Date,
  which: string,
  values: readonly string[],
): Promise<Ended[]> {
  return em.execute<Ended[]>(
    `with ended as (
       update identity.session set revoked_at = ?
       where ${which} and revoked_at is null and expires_at > ? and last_used_at > ?
       returning tenant_id as "tenantId", id, user_id as "userId", last_used_at
     )
     select "tenantId", id, "userId" from ended where last_used_at > ?`,
    [now.toISOString(), ...values, ...living(now), new Date(now.getTime() - tokensLastMs).toISOString()],
  );
}

/** After which moment a session that lives has its end, and was used. */
function living(now: Date): [string, string] {
  return [now.toISOString(), new Date(now.getTime() - refreshIdleMs).toISOString()];
}

/** For everyone who is given access tokens of the session. */
export function tell(
  { publish }: Pick<Write, 'publish'>,
  { tenantId, id, userId }: Ended,
  reason: RevocationReason,
): void {
  publish({
    topic: 'identity.session.revoked',
    tenantId,
    entityId: id,
    payload: { sessionId: id, userId, reason } satisfies SessionRevoked,
  });
}
