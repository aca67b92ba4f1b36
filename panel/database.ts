import { resolve } from 'node:path';

import pg from 'pg';

import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { migrateArea } from '#platform/database/migrate.js';
import { waits } from '#platform/database/patience.js';
import { assertSafeLogin, ensureRoles } from '#platform/database/roles.js';
import { migrateJobs } from '#platform/jobs/schema.js';
import type { Logger } from '#platform/logger.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { areaNames, areas } from './areas.js';
import type { PanelEnv } from './env.js';

/** A database that is migrated and ready to be logged in to as panel_app. */
export interface PreparedDatabase {
  /** The application's URL. */
  url: string;
  /** Stops the embedded server, if this process runs one. */
  stop(): Promise<void>;
}

const databaseName = 'panel';
const login = 'panel_app';

/** Brings the database to where this version of the panel needs it: the embedded one, or the operator's. */
export async function prepareDatabase(
  env: PanelEnv,
  keyring: Keyring,
  logger: Logger,
): Promise<PreparedDatabase> {
  if (env.DATABASE_URL) {
    if (env.DATABASE_OWNER_URL) {
      await migrate(env.DATABASE_OWNER_URL, passwordIn(env.DATABASE_URL), logger);
    }
    await checkLogin(env.DATABASE_URL);
    return { url: env.DATABASE_URL, stop: async () => undefined };
  }
  const server = await startEmbeddedPostgres({ dataDir: resolve(env.DATA_DIR), logger });
  try {
    await createDatabase(server.url('postgres'));
    const ownerUrl = server.url(databaseName);
    const password = keyring.deriveText('database login');
    await migrate(ownerUrl, password, logger);
    const url = new URL(ownerUrl);
    url.username = login;
    url.password = password;
    await checkLogin(url.href);
    return { url: url.href, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Makes the roles and brings every area's schema up to date, as the owner. */
export async function migrate(ownerUrl: string, password: string | undefined, logger: Logger): Promise<void> {
  await withClient(ownerUrl, (owner) =>
    ensureRoles(owner, {
      areas: [...areaNames],
      login: password === undefined ? { name: login } : { name: login, password },
    }),
  );
  for (const { name, migrations } of areas) await migrateArea({ area: name, ownerUrl, migrations, logger });
  await migrateJobs(ownerUrl, areaNames, logger);
}

function passwordIn(url: string): string | undefined {
  const { password } = new URL(url);
  return password === '' ? undefined : decodeURIComponent(password);
}

async function checkLogin(url: string): Promise<void> {
  await withClient(url, (client) => assertSafeLogin(client, [...areaNames]));
}

async function createDatabase(maintenanceUrl: string): Promise<void> {
  await withClient(maintenanceUrl, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(databaseName)}`);
  });
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: waits.ownerConnect,
    keepAlive: true,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
