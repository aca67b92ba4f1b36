import type { SqlEntityManager } from '../database/database.js';
import { tenantTableSql } from '../database/row-level-security.js';
import { ApiError } from '../errors.js';
import type { Sweep } from '../membership/sweep.js';
import type { ConsumerStep } from '../outbox/consumer.js';
import type { Viewer } from '../viewer.js';

/** Under which grant of a client something was set up that is not to outlast it. */
export interface Granted {
  grantId: string | null;
  grantEndsAt: Date | null;
}

/** The grant of a provider's user; nulls for what is the tenant's own. */
export function grantOf(viewer: Viewer): Granted {
  return viewer.kind === 'delegate'
    ? { grantId: viewer.grantId, grantEndsAt: new Date(viewer.grantExpiresAt * 1000) }
    : { grantId: null, grantEndsAt: null };
}

/** Which grants have ended lately: what is just being set up under one must not stay. */
export function endedGrantTableSql(area: string): string[] {
  return [
    `create table ${area}.ended_grant (
      tenant_id text not null,
      id text not null,
      ended_at timestamptz not null,
      primary key (tenant_id, id)
    )`,
    `create index ended_grant_ended_at on ${area}.ended_grant (ended_at)`,
    ...tenantTableSql(area, 'ended_grant', { app: ['select'] }),
  ];
}

/**
 * Throws FORBIDDEN when the grant of the viewer has ended, in the transaction that sets something up. Whoever ends it
 * waits for that one and finds what was set up.
 */
export async function requireGrant(em: SqlEntityManager, area: string, viewer: Viewer): Promise<void> {
  if (viewer.kind !== 'delegate') return;
  const { tenantId, grantId } = viewer;
  await em.execute('select pg_advisory_xact_lock_shared(hashtextextended(?, 0))', [lockName(area, grantId)]);
  const ended = await em.execute<unknown[]>(
    `select 1 from ${area}.ended_grant where tenant_id = ? and id = ?`,
    [tenantId, grantId],
  );
  if (ended.length > 0)
    throw new ApiError('FORBIDDEN', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
}

/** Waits for what is just being set up under the grant, and lets nothing come after that. */
export async function endGrant(
  { em, event: { tenantId }, now }: ConsumerStep,
  area: string,
  grantId: string,
): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName(area, grantId)]);
  await em.execute(
    `insert into ${area}.ended_grant (tenant_id, id, ended_at) values (?, ?, ?) on conflict do nothing`,
    [tenantId, grantId, now],
  );
}

/** No access token lasts as long; whatever is made after it is made by someone who may. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** Forgets grants that ended so long ago that no token under them can still be under way. */
export function endedGrantsSweep(area: string): Sweep {
  return {
    name: 'ended-grant.forget',
    everyMs: 3_600_000,
    async run({ em, now }) {
      await em.execute(`delete from ${area}.ended_grant where ended_at < ?`, [
        new Date(now.getTime() - rememberedMs),
      ]);
      return 'done';
    },
  };
}

function lockName(area: string, grantId: string): string {
  return `${area}.grant ${grantId}`;
}
