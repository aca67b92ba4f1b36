import { randomBytes } from 'node:crypto';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { newId } from '#platform/ids.js';
import type { Logger } from '#platform/logger.js';
import { Operation } from '#platform/subgraph/operation.js';

import { identityPermissions } from '../permissions.js';
import type { RegistrationService } from '../registration/registration.service.js';
import { setupTokenHash } from './setup.service.js';

export interface FirstAdministrator {
  /** Where the set-up link leads. */
  publicUrl: string;
  email?: string | undefined;
  password?: string | undefined;
}

export interface FirstAdministratorOptions extends FirstAdministrator {
  database: Database;
  registrations: RegistrationService;
  clock: Clock;
  logger: Logger;
}

/**
 * Sees to it that the panel can get a platform administrator: makes the one of ADMIN_EMAIL and ADMIN_PASSWORD, or else
 * answers a one-time link to be shown to the operator. Does nothing once there is an administrator.
 */
export async function ensureFirstAdministrator(
  options: FirstAdministratorOptions,
): Promise<string | undefined> {
  const { database, clock } = options;
  return systemEm(database).transactional(async (em) => {
    // Processes that start together must not make two administrators.
    await em.execute(`select pg_advisory_xact_lock(hashtext('identity first administrator'))`);
    const [answer] = await em.execute<{ found: boolean }[]>('select identity.has_administrator() as found');
    if (answer?.found) return undefined;
    if (options.email && options.password) {
      await makeAdministrator(options, options.email, options.password);
      return undefined;
    }
    const token = randomBytes(32).toString('base64url');
    // Only the newest link works: an older one may have been printed to a log that others read.
    await em.execute('delete from identity.setup_link where used_at is null');
    await em.execute('insert into identity.setup_link (token_hash, created_at) values (?, ?)', [
      setupTokenHash(token),
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
  const operation = new Operation({
    request: { requestId: newId('event'), clientAddress: '127.0.0.1' },
    database,
    clock,
    permissions: identityPermissions,
    viewer: undefined,
    denial: undefined,
  });
  await registrations.register(
    operation,
    { email, password, name: 'Administrator' },
    {
      isAdministrator: true,
    },
  );
  logger.info({ email }, 'the platform administrator was made from ADMIN_EMAIL');
}
