import { LockMode } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { UserViewer } from '#platform/viewer.js';

import type { AccountMail } from '../email/account-mail.js';
import { checkCurrentPassword } from '../password/current-password.js';
import { endSessions } from '../session/end-sessions.service.js';
import { countMail } from '../throttle/throttle.js';
import { lockToManage, requireUnchangedRole } from '../user/standing.service.js';
import { User, UserRole } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';
import { switchOff } from './switch-off.service.js';
import type { ResetSecondFactorInput } from './totp.inputs.js';

/** For members who have lost their authenticator and their recovery codes, or had a thief's put in their place. */
export class SecondFactorReset {
  constructor(
    private readonly users: UserService,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Needs the password of whoever resets: a stolen token must not take the second factor of others away. The member's
   * sessions end, since whoever holds them may be the reason. Without a second factor nothing happens.
   */
  async reset(operation: Operation, input: ResetSecondFactorInput): Promise<User> {
    const viewer = operation.requireUser();
    const { userId: id } = input;
    const tenantId = input.tenantId ?? viewer.tenantId;
    if (tenantId !== viewer.tenantId && !viewer.isAdministrator) throw notFound('User');
    if (id === viewer.userId) {
      throw new ApiError('CONFLICT', 'Switch your own one-time codes off with a code', {
        reason: 'OWN_ACCOUNT',
      });
    }
    const actor = requireUnchangedRole(viewer, await this.users.me(operation));
    await checkCurrentPassword(operation, actor, input.currentPassword);
    const found = await operation.database.forTenant(tenantId).findOne(User, { tenantId, id });
    if (!found) throw notFound('User');
    requireStanding(viewer, found);
    if (found.totpConfirmedAt) await countMail(operation, [`second factor of ${id}`]);
    return operation.write(async (write) => {
      const user =
        tenantId === viewer.tenantId
          ? (await lockToManage(write.em, viewer, id)).user
          : await write.em.findOne(User, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!user) throw notFound('User');
      requireStanding(viewer, user);
      const isOn = user.totpConfirmedAt !== null;
      write.audit({ target: id, ...(isOn ? { changes: { totpEnabled: false } } : {}) });
      const now = operation.clock.now();
      // One that was not confirmed yet as well: it may be a thief's.
      await switchOff(write, user, now);
      if (!isOn) return user;
      await endSessions(write, { tenantId, userId: id }, { now, reason: 'SECOND_FACTOR_RESET' });
      this.mail.secondFactorReset(write, user);
      return user;
    }, tenantId);
  }
}

/** Nobody resets those who may do more than they themselves, or owners of their own organization. */
function requireStanding(viewer: UserViewer, { role, isAdministrator }: User): void {
  if (viewer.isAdministrator || (role !== UserRole.OWNER && !isAdministrator)) return;
  throw new ApiError('FORBIDDEN', 'Only a platform administrator may do this', {
    reason: 'ADMINISTRATOR_REQUIRED',
  });
}
