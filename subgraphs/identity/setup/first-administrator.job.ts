import { LockMode } from '@mikro-orm/core';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { OperatorError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { isPassword } from '../password/password-hash.js';
import type { RegistrationService } from '../registration/registration.service.js';
import { User } from '../user/user.entity.js';
import { findAccount, operationOf } from './operator.job.js';

/** Panels that start together print a link each, and each of them works; what was printed earlier does not. */
const togetherMs = 15 * 60 * 1000;

export interface FirstAdministratorOptions {
  database: Database;
  registrations: RegistrationService;
  clock: Clock;
  logger: Logger;
  /** Where the set-up link leads. */
  publicUrl: string;
  email: string | undefined;
  password: string | undefined;
}

/**
 * Sees to it that the panel can get a platform administrator: makes the one of ADMIN_EMAIL and ADMIN_PASSWORD (of the
 * account that has them, if there is one), or else answers a one-time link to be shown to the operator. Of several links
 * the first that is used ends the others. Does nothing once there is an administrator.
 */
export async function ensureFirstAdministrator(
  options: FirstAdministratorOptions,
): Promise<string | undefined> {
  const { database, clock } = options;
  return systemEm(database).transactional(async (em) => {
    // Processes that start together must not make two administrators.
    await em.execute(`select pg_advisory_xact_lock(hashtext('identity first administrator'))`);
    const [answer] = await em.execute<{ found: boolean }[]>('select identity.has_administrator() as found');
    // Whichever way an administrator came to be, a link that was printed before makes no second one. Until then those of
    // this start work: an older one may have been printed to a log that others read.
    const together = new Date(clock.now().getTime() - togetherMs).toISOString();
    await em.execute('delete from identity.setup_link where used_at is null and (? or created_at < ?)', [
      answer?.found === true,
      together,
    ]);
    if (answer?.found) return undefined;
    if (options.email && options.password) {
      await em.execute('delete from identity.setup_link where used_at is null');
      await makeAdministrator(options, options.email, options.password);
      return undefined;
    }
    const token = randomToken();
    await em.execute('insert into identity.setup_link (token_hash, created_at) values (?, ?)', [
      sha256(token),
      clock.now().toISOString(),
    ]);
    return `${options.publicUrl}/setup#token=${token}`;
  });
}

async function makeAdministrator(
  { database, registrations, clock, logger }: FirstAdministratorOptions,
  email: string,
  password: string,
): Promise<void> {
  const operation = operationOf(database, clock);
  const known = await findAccount(database, email);
  if (known) {
    await promote(operation, known, password);
    logger.info({ email }, 'the account of ADMIN_EMAIL is the platform administrator now');
    return;
  }
  await registrations.make(
    operation,
    { email, password, name: 'Administrator' },
    {
      isAdministrator: true,
    },
  );
  logger.info({ email }, 'the platform administrator was made from ADMIN_EMAIL');
}

/** Whoever starts the panel may have an administrator, but not somebody else's account: its password proves it. */
async function promote(
  operation: Operation,
  key: { tenantId: string; id: string },
  password: string,
): Promise<void> {
  await operation.write(async ({ em }) => {
    const user = await em.findOneOrFail(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!(await isPassword(password, user.passwordHash))) {
      throw new OperatorError(
        'ADMIN_EMAIL names an account that exists, and ADMIN_PASSWORD is not its password: set ADMIN_PASSWORD to the ' +
          "account's password, or ADMIN_EMAIL to another address.",
      );
    }
    user.isAdministrator = true;
    user.updatedAt = operation.clock.now();
  }, key.tenantId);
}
