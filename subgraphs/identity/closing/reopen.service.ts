import type { SqlEntityManager } from '#platform/database/database.js';
import { notFound } from '#platform/errors.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { TenantReopened } from '#schema/events.js';

import { MailToken } from '../email/mail-token.entity.js';
import { setSuspended } from '../tenant/set-suspended.service.js';
import type { Tenant } from '../tenant/tenant.entity.js';

/** How long a tenant that was closed, or a client that was deleted, can be restored. */
export const restorableMs = 30 * 24 * 60 * 60 * 1000;

export interface ClosingState {
  isSuspended: boolean;
  hasProvider: boolean;
  /** Whether the panel's administrators have suspended it beside. */
  staysSuspended: boolean;
}

/** How a locked tenant stands. Throws NOT_FOUND once its erasure has begun. */
export async function closingStateOf(em: SqlEntityManager, tenantId: string): Promise<ClosingState> {
  const [state] = await em.execute<(ClosingState & { isBeingErased: boolean })[]>(
    `select suspended_at is not null as "isSuspended", parent_tenant_id is not null as "hasProvider",
       stays_suspended as "staysSuspended", erasure_id is not null as "isBeingErased"
     from identity.tenant where id = ?`,
    [tenantId],
  );
  if (!state || state.isBeingErased) throw notFound('Tenant');
  return state;
}

/** Takes the closing of a locked tenant back; `staysSuspended` says whether it is let in again. Its links end. */
export async function reopen(
  step: { em: SqlEntityManager; now: Date; publish: (event: OutboxEvent) => void },
  tenant: Tenant,
  { staysSuspended }: { staysSuspended: boolean },
): Promise<void> {
  const { em, now, publish } = step;
  const { id: tenantId } = tenant;
  tenant.eraseAt = null;
  await em.flush();
  await em.execute('update identity.tenant set stays_suspended = false where id = ?', [tenantId]);
  await em.nativeUpdate(
    MailToken,
    { tenantId, purpose: 'ORGANIZATION_RESTORE', usedAt: null },
    { usedAt: now },
  );
  publish({
    topic: 'identity.tenant.reopened',
    tenantId,
    entityId: tenantId,
    payload: { tenantId } satisfies TenantReopened,
  });
  if (!staysSuspended) await setSuspended(step, tenantId, false);
}
