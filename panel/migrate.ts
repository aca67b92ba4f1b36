import { EnvError } from '#platform/env.js';
import { createLogger } from '#platform/logger.js';

import { prepareDatabase } from './database.js';
import { panelEnv } from './env.js';
import { loadKeyring } from './keyring.js';
import { run } from './run.js';

// Brings the database up to date and stops: for deployments that migrate apart from starting.
await run(async () => {
  const env = panelEnv();
  if (env.DATABASE_URL && !env.DATABASE_OWNER_URL)
    throw new EnvError(['DATABASE_OWNER_URL is required to migrate']);
  const database = await prepareDatabase(env, loadKeyring(env), createLogger(env.LOG_LEVEL));
  await database.stop();
  process.stdout.write('The database is up to date.\n');
});
