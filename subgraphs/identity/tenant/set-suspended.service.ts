import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { TenantRestored, TenantSuspended } from '#schema/events.js';

import { endSessionsOfTenant } from '../session/end-sessions.service.js';

/** Suspends or restores a tenant. Its sessions end as well: after a restoration everyone signs in anew. */
export async function setSuspended(
  { em, now, publish }: { em: SqlEntityManager; now: Date; publish: (event: OutboxEvent) => void },
  tenantId: string,
  isSuspended: boolean,
): Promise<void> {
  const at = now.toISOString();
  if (!isSuspended) {
    await em.execute('update identity.tenant set suspended_at = null, restored_at = ? where id = ?', [
      at,
      tenantId,
    ]);
    publish({
      topic: 'identity.tenant.restored',
      tenantId,
      entityId: tenantId,
      payload: { tenantId } satisfies TenantRestored,
    });
    return;
  }
  await em.execute('update identity.tenant set suspended_at = ?, restored_at = null where id = ?', [
    at,
    tenantId,
  ]);
  publish({
    topic: 'identity.tenant.suspended',
    tenantId,
    entityId: tenantId,
    payload: { tenantId } satisfies TenantSuspended,
  });
  await endSessionsOfTenant({ em, publish }, tenantId, { now, reason: 'TENANT_SUSPENDED' });
}
