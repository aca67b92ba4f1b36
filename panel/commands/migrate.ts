import { resolve } from 'node:path';

import { createLogger } from '#platform/logger.js';

import {
  assertDatabaseExists,
  lacksPassword,
  migrateNamed,
  prepareDatabase,
  type AppliedSteps,
} from '../database.js';
import { databaseEnv } from '../env.js';
import { loadKeyring } from '../keyring.js';
import { run } from '../run.js';

const passwordHint = `
The panel logs in as panel_app, which has no password yet. Unless the server lets it in by other means, give it one and
put it into DATABASE_URL:
  alter role panel_app password '...';
`;

// Brings the database up to date and stops: for deployments that migrate apart from starting.
await run(async () => {
  const env = databaseEnv();
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = env;
  const logger = createLogger(env.LOG_LEVEL);
  assertDatabaseExists(env);
  if (ownerUrl !== undefined) {
    report(nameOf(ownerUrl), await migrateNamed(ownerUrl, url, logger));
    if (await lacksPassword(ownerUrl)) process.stdout.write(passwordHint);
    return;
  }
  const database = await prepareDatabase(env, loadKeyring(env), logger);
  await database.stop();
  report(`the embedded database in ${resolve(env.DATA_DIR)}`, database.applied);
});

function report(database: string, applied: readonly AppliedSteps[]): void {
  const lines = applied.map(
    ({ area, steps }) => `  ${area}: ${steps.length === 0 ? 'nothing to do' : steps.join(', ')}\n`,
  );
  process.stdout.write(`Migrated ${database}:\n${lines.join('')}The database is up to date.\n`);
}

/** Without user and password. */
function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + decodeURIComponent(pathname);
}
