import { LockMode } from '@mikro-orm/core';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { OperatorError } from '#platform/errors.js';

import { resetLink } from '../email/account-mail.js';
import { makeMailToken } from '../email/mail-tokens.js';
import { User } from '../user/user.entity.js';
import { accountOf, doneByOperator, operationOf } from './operator.job.js';

/**
 * Makes the link by which a platform administrator chooses a new password, for whoever runs the machine: as it would be
 * mailed, good once and for an hour, and those before it end. The trail has it. Throws for an address without an account,
 * and for one of anybody else: they come in by those who manage them.
 */
export async function makeAdministratorLink(
  { database, clock, publicUrl }: { database: Database; clock: Clock; publicUrl: string },
  address: string,
): Promise<string> {
  const key = await accountOf(database, address);
  return operationOf(database, clock).write(async ({ em, publish }) => {
    const user = await em.findOneOrFail(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!user.isAdministrator)
      throw new OperatorError(
        `${user.email} is no platform administrator. Links are for those; a member who is locked out asks for one by mail.`,
      );
    const token = await makeMailToken(em, user, 'PASSWORD_RESET', clock.now());
    publish(doneByOperator('makeResetLink', { tenantId: key.tenantId, target: key.id }));
    return resetLink(publicUrl, token);
  }, key.tenantId);
}
