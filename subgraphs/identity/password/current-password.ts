import { invalid } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { admitOrRefuse, making } from '../throttle/throttle.js';
import type { User } from '../user/user.entity.js';
import { isPassword } from './password-hash.js';

/**
 * Re-authentication of someone who is signed in, before what a stolen token must not do. A wrong password is
 * VALIDATION_FAILED on its field, not UNAUTHENTICATED: the caller's session is fine. Too many are RATE_LIMITED.
 */
export async function checkCurrentPassword(
  operation: Operation,
  user: User,
  password: string | null | undefined,
  path = 'input.currentPassword',
): Promise<void> {
  if (!password) throw invalid(path, 'Current password is required');
  const attempt = await admitOrRefuse(operation, 'password', user.id);
  const isRight = await making(attempt, 'FORGIVEN', () => isPassword(password, user.passwordHash));
  if (!isRight) throw invalid(path, 'Current password is wrong');
}

/** For the transaction that follows: another password may have been put in the place of the one that was checked. */
export function requireSamePassword(locked: User, checked: User, path = 'input.currentPassword'): void {
  if (locked.passwordHash !== checked.passwordHash) throw invalid(path, 'Current password is wrong');
}
