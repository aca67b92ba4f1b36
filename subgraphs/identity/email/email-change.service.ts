import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { emailTaken, emailTakenInstead } from '../user/email-taken.js';
import { User } from '../user/user.entity.js';
import type { AccountMail } from './account-mail.js';
import type { VerifyEmailPayload } from './email.inputs.js';
import { MailToken } from './mail-token.entity.js';
import { makeMailToken, useMailToken } from './mail-tokens.js';

/** Changes of e-mail addresses. An address signs nobody in before its mail was read. */
export class EmailChangeService {
  constructor(private readonly mail: AccountMail) {}

  /** Throws CONFLICT (EMAIL_TAKEN) when another account has the address. The unique index decides in the end. */
  async requireFree(operation: Operation, user: User, email: string): Promise<void> {
    const [found] = await operation.database
      .anonymous()
      .execute<{ id: string }[]>('select id from identity.find_user_by_email(?)', [email]);
    if (found && found.id !== user.id) throw emailTaken();
  }

  /** Mails a link to the new address, in the place of any before it, and tells the one in force. */
  async begin(write: Write, user: User, email: string, now: Date): Promise<void> {
    const token = await makeMailToken(write.em, user, 'EMAIL_CHANGE', now, email);
    this.mail.emailChange(write, user, email, token);
    this.mail.emailChangeWanted(write, user, email);
  }

  async confirm(operation: Operation, token: string): Promise<VerifyEmailPayload> {
    const now = operation.clock.now();
    return emailTakenInstead(() =>
      useMailToken(operation, token, 'EMAIL_CHANGE', async (write, user, email) => {
        const { tenantId, email: before } = user;
        write.audit({ changes: { email: { from: before, to: email } } });
        Object.assign(user, { email, emailVerifiedAt: now, updatedAt: now });
        await write.em.flush();
        this.mail.emailChanged(write, { tenantId, email: before });
        return { email, emailVerified: true };
      }),
    );
  }

  /** Ends the link. Without one nothing happens. */
  async cancel(operation: Operation): Promise<User> {
    const { tenantId, userId } = operation.requireUser();
    return operation.write(async (write) => {
      const key = { tenantId, id: userId };
      const user = await write.em.findOne(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!user) throw new ApiError('NOT_FOUND', 'User not found');
      write.audit({ target: userId });
      const links = { tenantId, userId, purpose: 'EMAIL_CHANGE', usedAt: null } as const;
      await write.em.nativeUpdate(MailToken, links, { usedAt: operation.clock.now() });
      return user;
    });
  }

  /** The address that awaits confirmation. Users see their own only. */
  async pending(operation: Operation, user: User): Promise<string | null> {
    const { viewer } = operation;
    if (viewer?.kind !== 'user' || viewer.userId !== user.id) return null;
    return operation.once('pending e-mail address', async () => {
      const { tenantId, userId } = viewer;
      const open = { usedAt: null, expiresAt: { $gt: operation.clock.now() } };
      const purpose = 'EMAIL_CHANGE' as const;
      const mailed = await operation.em.findOne(MailToken, { tenantId, userId, purpose, ...open });
      return mailed?.email ?? null;
    });
  }
}
