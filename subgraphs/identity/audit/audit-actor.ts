import type { Viewer } from '#platform/viewer.js';

import { mayKnow } from '../delegation/named-users.service.js';
import type { AuditEvent } from './audit-event.entity.js';

/** Whether whoever acted is shown by name: people of other tenants are to owners alone, as in grants. */
export function mayKnowActor(
  viewer: Viewer | undefined,
  { actorTenantId }: Pick<AuditEvent, 'actorTenantId'>,
): boolean {
  return actorTenantId === null || mayKnow(viewer, actorTenantId);
}
