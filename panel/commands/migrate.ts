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
import { tlsWarnings } from '../warnings.js';

const passwordHint = (isUnknown: boolean) => `
The panel logs in as panel_app, ${isUnknown ? 'and whether that has a password the owner may not see' : 'which has no password yet'}. Unless the server lets it in by other means, it
needs the one that is in DATABASE_URL:
  alter role panel_app password '...';
`;

// Brings the database up to date and stops: for deployments that migrate apart from starting.
await run(async () => {
  const env = databaseEnv();
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = env;
  const logger = createLogger(env.LOG_LEVEL);
  assertDatabaseExists(env);
  for (const warning of tlsWarnings(env)) logger.warn(warning);
  if (ownerUrl !== undefined) {
    report(nameOf(ownerUrl), await migrateNamed(ownerUrl, url, logger));
    // With DATABASE_URL it has logged in.
    const lacks = url === undefined && (await lacksPassword(ownerUrl));
    if (lacks) process.stdout.write(passwordHint(lacks === 'unknown'));
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
