import { ApiError } from '#platform/errors.js';
import type { Role } from '#platform/viewer.js';

import { UserRole } from '../user/user.entity.js';

/** Only owners make, unmake or invite owners; otherwise an admin could take a tenant over. */
export function requireOwnerFor(ownRole: Role, ...concerned: readonly UserRole[]): void {
  if (ownRole === 'owner' || !concerned.includes(UserRole.OWNER)) return;
  throw new ApiError('FORBIDDEN', 'Only an owner may do this to an owner', { reason: 'OWNER_REQUIRED' });
}
