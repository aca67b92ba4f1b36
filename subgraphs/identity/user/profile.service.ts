import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import type { EmailChangeService } from '../email/email-change.service.js';
import { checkCurrentPassword, requireSamePassword } from '../password/current-password.js';
import { countMail } from '../throttle/throttle.js';
import { User } from './user.entity.js';
import { isNewEmail, updateProfileRules, type UpdateProfileInput } from './user.inputs.js';
import type { UserService } from './user.service.js';

/** What users change about themselves. */
export class ProfileService {
  constructor(
    private readonly users: UserService,
    private readonly emails: EmailChangeService,
  ) {}

  /**
   * Fields that are absent or null stay. A new address takes effect when the link that is mailed to it was opened; the
   * one in force is told at once. Naming the one in force changes nothing, also while another one is awaited.
   */
  async update(operation: Operation, input: UpdateProfileInput): Promise<User> {
    const before = await this.users.me(operation);
    const checked = validate(updateProfileRules(before.email), input);
    const { name } = checked;
    const email = isNewEmail(checked, before.email) ? checked.email : undefined;
    if (email !== undefined) {
      await checkCurrentPassword(operation, before, checked.currentPassword);
      await this.emails.requireFree(operation, before, email);
      await countMail(operation, [before.id, email]);
    }
    const now = operation.clock.now();
    return operation.write(async (write) => {
      const key = { tenantId: before.tenantId, id: before.id };
      const found = await write.em.findOne(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!found) throw notFound('User');
      // The password may have been replaced since it was checked, by an owner who is taking the account back.
      if (email !== undefined) requireSamePassword(found, before);
      write.audit({
        target: found.id,
        changes: {
          ...(name == null ? {} : { name }),
          ...(email === undefined ? {} : { pendingEmail: email }),
        },
      });
      if (name != null) Object.assign(found, { name, updatedAt: now });
      if (email !== undefined) await this.emails.begin(write, found, email, now);
      return found;
    });
  }
}
