import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { Role } from '#platform/viewer.js';

import { checkCurrentPassword } from '../password/current-password.js';
import { UserRole } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';

/** Only owners make, unmake or invite owners; otherwise an admin could take a tenant over. */
export function requireOwnerFor(ownRole: Role, ...concerned: readonly UserRole[]): void {
  if (ownRole === 'owner' || !concerned.includes(UserRole.OWNER)) return;
  throw new ApiError('FORBIDDEN', 'Only an owner may do this to an owner', { reason: 'OWNER_REQUIRED' });
}

/**
 * Who makes, unmakes, invites or removes an owner proves to be who the session says: with a stolen token a tenant could
 * be taken from its owners for good. Throws VALIDATION_FAILED on `path`, and RATE_LIMITED.
 */
export async function requireProofForOwner(
  operation: Operation,
  users: UserService,
  proof: { concerned: readonly UserRole[]; currentPassword: string | null | undefined; path?: string },
): Promise<void> {
  if (!proof.concerned.includes(UserRole.OWNER)) return;
  await checkCurrentPassword(operation, await users.me(operation), proof.currentPassword, proof.path);
}
