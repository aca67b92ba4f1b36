import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import type { Viewer } from '#platform/viewer.js';

import type { GitOpsConfig } from './gitops-config.entity.js';

/** Under which grant a repository was set up, by a provider's user; nulls for what is the tenant's own. */
export function grantOf(viewer: Viewer): Pick<GitOpsConfig, 'grantId' | 'grantEndsAt'> {
  return viewer.kind === 'delegate'
    ? { grantId: viewer.grantId, grantEndsAt: new Date(viewer.grantExpiresAt * 1000) }
    : { grantId: null, grantEndsAt: null };
}

/**
 * Throws FORBIDDEN when the grant of the viewer has ended, in the transaction that sets a repository up. Whoever ends it
 * waits for that one and finds the repository.
 */
export async function requireGrant(em: SqlEntityManager, viewer: Viewer): Promise<void> {
  if (viewer.kind !== 'delegate') return;
  const { tenantId, grantId } = viewer;
  await em.execute('select pg_advisory_xact_lock_shared(hashtextextended(?, 0))', [lockName(grantId)]);
  const ended = await em.execute<unknown[]>(
    'select 1 from governance.ended_grant where tenant_id = ? and id = ?',
    [tenantId, grantId],
  );
  if (ended.length > 0)
    throw new ApiError('FORBIDDEN', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
}

/** Waits for what is just being set up under the grant, and lets nothing come after that. */
export async function lockGrant(em: SqlEntityManager, grantId: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName(grantId)]);
}

function lockName(grantId: string): string {
  return `governance.grant ${grantId}`;
}
