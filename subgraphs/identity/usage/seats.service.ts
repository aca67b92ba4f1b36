import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { UsersCounted } from '#schema/events.js';

/** Users, and invitations that may yet become users: what is counted under the limit. */
export async function seatsUsed(em: SqlEntityManager, tenantId: string, now: Date): Promise<number> {
  const [row] = await em.execute<{ used: number }[]>(
    `select ((select count(*) from identity.user where tenant_id = ?)
       + (select count(*) from identity.invitation where tenant_id = ? and accepted_at is null
           and revoked_at is null and expires_at > ?))::int as used`,
    [tenantId, tenantId, now],
  );
  return row?.used ?? 0;
}

/** The viewer's own. */
export async function ownSeats({ em, tenantId, clock }: Operation): Promise<number> {
  return seatsUsed(em, tenantId, clock.now());
}

/** Tells how many seats are taken after one was or came free. Called in the transaction that changed it, once it was flushed. */
export async function usersCounted(em: SqlEntityManager, tenantId: string, now: Date): Promise<OutboxEvent> {
  const [time] = await em.execute<{ version: string }[]>(
    'select (extract(epoch from clock_timestamp()) * 1e6)::bigint::text as version',
  );
  return {
    topic: 'identity.users.counted',
    tenantId,
    entityId: tenantId,
    entityVersion: Number(time?.version ?? 0),
    payload: { count: await seatsUsed(em, tenantId, now) } satisfies UsersCounted,
  };
}
