import type { Write } from '#platform/subgraph/operation.js';
import type { MemberChanged } from '#schema/events.js';

import type { KeysOfMember } from '../api-key/keys-of-member.service.js';
import { endSessions } from '../session/end-sessions.service.js';
import type { User, UserRole } from '../user/user.entity.js';
import { endInvitationsBeyondRole } from './invitations-of-member.service.js';

/** Gives a user whose row is locked another role: what was made with the former one, and is beyond the new one, ends. */
export async function setRole(
  write: Write,
  keys: KeysOfMember,
  user: User,
  { role, now }: { role: UserRole; now: Date },
): Promise<void> {
  Object.assign(user, { role, updatedAt: now });
  const { tenantId, id: userId } = user;
  await endSessions(write, { tenantId, userId }, { now, reason: 'ROLE_CHANGED' });
  await keys.endBeyondRole(write, user, now);
  await endInvitationsBeyondRole(write, user, role, now);
  tellOfMember(write, user, role);
}

/** The role is null of one who is no member any more. */
export function tellOfMember({ publish }: Write, { tenantId, id }: User, role: MemberChanged['role']): void {
  publish({
    topic: 'identity.member.changed',
    tenantId,
    entityId: id,
    payload: { userId: id, role } satisfies MemberChanged,
  });
}
