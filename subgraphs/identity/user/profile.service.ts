import { LockMode } from '@mikro-orm/core';

import { invalid, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import type { AccountMail } from '../email/account-mail.js';
import { makeMailToken } from '../email/mail-tokens.js';
import { checkCurrentPassword } from '../password/current-password.js';
import { countMail } from '../throttle/throttle.js';
import { emailTakenInstead } from './email-taken.js';
import { User } from './user.entity.js';
import { updateProfileRules, type UpdateProfileInput } from './user.inputs.js';
import type { UserService } from './user.service.js';

/** What users change about themselves. */
export class ProfileService {
  constructor(
    private readonly users: UserService,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Fields that are absent or null stay. A new address takes effect at once, unverified; the former one is told, since
   * whoever reads mail there may be the owner of a stolen account.
   */
  async update(operation: Operation, input: UpdateProfileInput): Promise<User> {
    const { name, email, currentPassword } = validate(updateProfileRules, input);
    const before = await this.users.me(operation);
    const isNewEmail = email != null && email !== before.email;
    if (isNewEmail) {
      await checkCurrentPassword(operation, before, currentPassword);
      await countMail(operation, [before.id, email]);
    }
    const now = operation.clock.now();
    return emailTakenInstead(() =>
      operation.write(async (write) => {
        const { em, audit } = write;
        const key = { tenantId: before.tenantId, id: before.id };
        const found = await em.findOne(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
        if (!found) throw notFound('User');
        // The password may have been replaced since it was checked, by an owner who is taking the account back.
        if (isNewEmail && found.passwordHash !== before.passwordHash)
          throw invalid('input.currentPassword', 'Current password is wrong');
        audit({
          target: found.id,
          changes: { ...(name == null ? {} : { name }), ...(isNewEmail ? { email } : {}) },
        });
        if (name != null) found.name = name;
        if (isNewEmail) Object.assign(found, { email, emailVerifiedAt: null });
        if (name != null || isNewEmail) found.updatedAt = now;
        await em.flush();
        if (isNewEmail) {
          this.mail.verification(write, found, await makeMailToken(em, found, 'EMAIL_VERIFICATION', now));
          this.mail.emailChanged(write, before);
        }
        return found;
      }),
    );
  }
}
