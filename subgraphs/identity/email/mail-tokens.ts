import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { User } from '../user/user.entity.js';
import { MailToken, type MailTokenPurpose } from './mail-token.entity.js';

const hour = 60 * 60 * 1000;
const lifetimes: Readonly<Record<MailTokenPurpose, number>> = {
  PASSWORD_RESET: hour,
  EMAIL_VERIFICATION: 24 * hour,
  EMAIL_CHANGE: 24 * hour,
  ORGANIZATION_RESTORE: 30 * 24 * hour,
};

/** Makes the newest token of its purpose for a user; those before it end. It goes to the user's address unless told. */
export async function makeMailToken(
  em: SqlEntityManager,
  user: User,
  purpose: MailTokenPurpose,
  now: Date,
  email = user.email,
): Promise<string> {
  const key = { tenantId: user.tenantId, userId: user.id, purpose };
  await em.nativeUpdate(MailToken, { ...key, usedAt: null }, { usedAt: now });
  const token = randomToken();
  em.persist(
    Object.assign(new MailToken(), {
      ...key,
      tokenHash: sha256(token),
      email,
      createdAt: now,
      expiresAt: new Date(now.getTime() + lifetimes[purpose]),
      usedAt: null,
    }),
  );
  return token;
}

/**
 * Uses a token up and runs `work` for its user, whose row is locked, in one transaction. Throws UNAUTHENTICATED
 * (MAIL_TOKEN_INVALID) for one that is unknown, used, ended, or was mailed to an address that the user has left.
 * `mailedTo` is the address that it proves.
 */
export async function useMailToken<T>(
  operation: Operation,
  token: string,
  purpose: MailTokenPurpose,
  work: (write: Write, user: User, mailedTo: string) => Promise<T>,
): Promise<T> {
  const tokenHash = sha256(token);
  const [found] = await operation.database
    .anonymous()
    .execute<{ tenant_id: string; user_id: string }[]>('select * from identity.find_mail_token(?)', [
      tokenHash,
    ]);
  if (!found) throw refused();
  const key = { tenantId: found.tenant_id };
  const use = async (write: Write) => {
    const now = operation.clock.now();
    const user = await write.em.findOneOrFail(
      User,
      { ...key, id: found.user_id },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    const open = { ...key, tokenHash, purpose, usedAt: null, expiresAt: { $gt: now } };
    const mailed = await write.em.findOne(MailToken, open, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!mailed || (purpose !== 'EMAIL_CHANGE' && mailed.email !== user.email)) throw refused();
    mailed.usedAt = now;
    write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
    return work(write, user, mailed.email);
  };
  return operation.write(use, found.tenant_id, { isRestoring: purpose === 'ORGANIZATION_RESTORE' });
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The link is not valid, has ended, or was used before', {
    reason: 'MAIL_TOKEN_INVALID',
  });
}
