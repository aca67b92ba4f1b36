import { LockMode } from '@mikro-orm/core';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { OperatorError } from '#platform/errors.js';

import type { KeysOfMember } from '../api-key/keys-of-member.service.js';
import { endSessions } from '../session/end-sessions.service.js';
import { User } from '../user/user.entity.js';
import { accountOf, doneByOperator, operationOf } from './operator.job.js';

export interface ChangeOptions {
  database: Database;
  clock: Clock;
  keys: KeysOfMember;
}

export type AdministratorChange = 'grant' | 'revoke';

/**
 * Makes the account of an address a platform administrator, or no longer one, for whoever runs the machine: so that there
 * are several, that one who lost the second factor is let in by another, and that who leaves is replaced. Doing it again
 * changes nothing. Throws for an address without an account, and for the last one.
 */
export async function changeAdministrator(
  { database, clock, keys }: ChangeOptions,
  change: AdministratorChange,
  address: string,
): Promise<void> {
  const isAdministrator = change === 'grant';
  await systemEm(database).transactional(async (em) => {
    // As at the set-up: of two who are revoked at once one stays.
    await em.execute(`select pg_advisory_xact_lock(hashtext('identity first administrator'))`);
    const key = await accountOf(database, address);
    const others = await em.execute<unknown[]>(
      'select 1 from identity."user" where is_administrator and id <> ? limit 1',
      [key.id],
    );
    if (!isAdministrator && others.length === 0)
      throw new OperatorError('The last platform administrator stays: grant it to another account first.');
    await operationOf(database, clock).write(async (write) => {
      const user = await write.em.findOneOrFail(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (user.isAdministrator === isAdministrator) return;
      const now = clock.now();
      Object.assign(user, { isAdministrator, updatedAt: now });
      // The tokens that are out say what the user was.
      await endSessions(write, { tenantId: key.tenantId, userId: key.id }, { now, reason: 'ROLE_CHANGED' });
      await keys.endBeyondRole(write, user, now);
      const name = isAdministrator ? 'grantAdministrator' : 'revokeAdministrator';
      write.publish(
        doneByOperator(name, { tenantId: key.tenantId, target: key.id, changes: { isAdministrator } }),
      );
    }, key.tenantId);
  });
}
