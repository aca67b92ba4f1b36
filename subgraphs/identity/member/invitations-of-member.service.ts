import type { Write } from '#platform/subgraph/operation.js';

import { usersCounted } from '../usage/seats.service.js';
import { UserRole, type User } from '../user/user.entity.js';

/** The roles to which somebody of a role may invite, as `identity.member.manage` and `requireOwnerFor` say. */
function invitable(role: UserRole | null): UserRole[] {
  if (role === UserRole.OWNER) return Object.values(UserRole);
  if (role === UserRole.ADMIN) return Object.values(UserRole).filter((other) => other !== UserRole.OWNER);
  return [];
}

/** Ends the open invitations that someone sent last who could not send them now; with no role, all of theirs. */
export async function endInvitationsBeyondRole(
  { em, publish }: Write,
  { tenantId, id }: User,
  role: UserRole | null,
  now: Date,
): Promise<void> {
  const ended = await em.execute<unknown[]>(
    `update identity.invitation set revoked_at = ?
     where tenant_id = ? and invited_by = ? and accepted_at is null and revoked_at is null
       and not role = any(array(select jsonb_array_elements_text(?::jsonb))) returning 1`,
    [now.toISOString(), tenantId, id, JSON.stringify(invitable(role))],
  );
  if (ended.length > 0) publish(await usersCounted(em, tenantId, now));
}
