import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { countMail } from '../throttle/throttle.js';
import { User } from '../user/user.entity.js';
import type { AccountMail } from './account-mail.js';
import type { VerifyEmailPayload } from './email.inputs.js';
import { makeMailToken, useMailToken } from './mail-tokens.js';

/** Proves that users read the mail of their addresses. */
export class EmailVerificationService {
  constructor(private readonly mail: AccountMail) {}

  /** Mails a new link; the one before it ends. Does nothing for an address that is verified. */
  async resend(operation: Operation): Promise<User> {
    const { tenantId, userId } = operation.requireUser();
    await countMail(operation, [userId]);
    return operation.write(async (write) => {
      const user = await write.em.findOne(
        User,
        { tenantId, id: userId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!user) throw notFound('User');
      write.audit({ target: userId });
      if (user.emailVerifiedAt) return user;
      const token = await makeMailToken(write.em, user, 'EMAIL_VERIFICATION', operation.clock.now());
      this.mail.verification(write, user, token);
      return user;
    });
  }

  async verify(operation: Operation, token: string): Promise<VerifyEmailPayload> {
    return useMailToken(operation, token, 'EMAIL_VERIFICATION', async (_write, user) => {
      user.emailVerifiedAt ??= operation.clock.now();
      return { email: user.email, emailVerified: true };
    });
  }
}
