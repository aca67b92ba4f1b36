import type { Write } from '#platform/subgraph/operation.js';

import { LoginChallenge } from '../session/login-challenge.entity.js';
import type { User } from '../user/user.entity.js';
import { RecoveryCode, TotpSecret } from './totp.entity.js';

/** Takes the second factor of a locked user out of force. Sign-ins that await a code end with it. */
export async function switchOff(write: Write, user: User, now: Date): Promise<void> {
  user.totpConfirmedAt = null;
  const owner = await forgetSecondFactor(write, user);
  await write.em.nativeUpdate(LoginChallenge, { ...owner, usedAt: null }, { usedAt: now });
}

/** Forgets secret and recovery codes, in force or not. */
export async function forgetSecondFactor(
  write: Write,
  user: User,
): Promise<{ tenantId: string; userId: string }> {
  const key = { tenantId: user.tenantId, userId: user.id };
  await write.em.nativeDelete(TotpSecret, key);
  await write.em.nativeDelete(RecoveryCode, key);
  return key;
}
