import 'reflect-metadata';
import { systemClock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import { OperatorError } from '#platform/errors.js';
import { createLogger } from '#platform/logger.js';
import { ApiKey } from '#subgraphs/identity/api-key/api-key.entity.js';
import { KeysOfMember } from '#subgraphs/identity/api-key/keys-of-member.service.js';
import { changeAdministrator } from '#subgraphs/identity/setup/change-administrator.job.js';
import { User } from '#subgraphs/identity/user/user.entity.js';

import { allPermissions } from '../areas.js';
import { assertDatabaseExists, prepareDatabase } from '../database.js';
import { panelEnv } from '../env.js';
import { loadKeyring } from '../keyring.js';
import { run } from '../run.js';

// Makes an account a platform administrator, or no longer one: for who lost the second factor, and who leaves.
await run(async () => {
  const [change, email, ...rest] = process.argv.slice(2);
  if ((change !== 'grant' && change !== 'revoke') || email === undefined || rest.length > 0)
    throw new OperatorError(
      'npm run administrator -- grant somebody@example.com, or revoke somebody@example.com',
    );
  const env = panelEnv();
  assertDatabaseExists(env);
  const logger = createLogger(env.LOG_LEVEL);
  const prepared = await prepareDatabase(env, loadKeyring(env), logger);
  const options = { area: 'identity', url: prepared.url, entities: [User, ApiKey], poolSize: 3, logger };
  const database = await Database.open(options);
  try {
    const keys = new KeysOfMember(allPermissions);
    await changeAdministrator({ database, clock: systemClock, keys }, change, email);
    const what = change === 'grant' ? 'is a platform administrator' : 'is no platform administrator any more';
    process.stdout.write(`${email} ${what}. Whoever was signed in signs in anew.\n`);
  } finally {
    await database.close();
    await prepared.stop();
  }
});
