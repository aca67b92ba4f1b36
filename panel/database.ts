import { resolve } from 'node:path';

import pg from 'pg';

import type { DatabaseUrls } from '#platform/database/connections.js';
import { hasEmbeddedCluster, startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { GuardedClient } from '#platform/database/guarded-client.js';
import { isMigrated, knownAs, migrateArea, type AreaMigration } from '#platform/database/migrate.js';
import { missingSteps, type MissingSteps } from '#platform/database/missing-steps.js';
import { isPassing } from '#platform/database/outage.js';
import { waits } from '#platform/database/patience.js';
import { assertSafeLogin, ensureRoles } from '#platform/database/roles.js';
import { OperatorError } from '#platform/errors.js';
import { migrateJobs, missingJobs } from '#platform/jobs/schema.js';
import type { Logger } from '#platform/logger.js';
import { olderProcessesSql } from '#platform/membership/contracts.sql.js';
import { processesWithoutKeySql } from '#platform/membership/secrets-keys.sql.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { schemaNames, schemas } from './areas.js';
import { endWhenBehind, inWords, type WhenBehind } from './behind.js';
import type { DatabaseEnv } from './env.js';
import { reached } from './reach.js';

/** A database that is migrated and ready to be logged in to as panel_app. */
export interface PreparedDatabase {
  /** The application's URL, of the server itself. */
  url: string;
  /** By which a process reaches it for each purpose. */
  urls: DatabaseUrls;
  /** What the migration did; empty where this process may not migrate. */
  applied: readonly AppliedSteps[];
  /** Resolves, with words for the operator, when an embedded server has ended and does not come back. */
  failed: Promise<Error>;
  /** Stops the embedded server, if this process runs one. */
  stop(): Promise<void>;
}

/** The migration steps that one run has applied to an area. */
export interface AppliedSteps {
  area: string;
  steps: readonly string[];
}

const databaseName = 'panel';
const login = 'panel_app';

/**
 * Brings the database to where this version of the panel needs it: the embedded one, or the operator's. Where that one is
 * away, or another process has to migrate it, `whenBehind` says what to do until then.
 */
export async function prepareDatabase(
  env: DatabaseEnv,
  keyring: Keyring,
  logger: Logger,
  whenBehind: WhenBehind = endWhenBehind,
): Promise<PreparedDatabase> {
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = env;
  if (url !== undefined) {
    const { DATABASE_DIRECT_URL: directUrl, DATABASE_READ_URL: readUrl } = env;
    const isMigrating = ownerUrl !== undefined;
    const applied = isMigrating ? await migrateNamed(ownerUrl, url, logger, whenBehind) : [];
    if (!isMigrating) await whenBehind(async () => reached('DATABASE_URL', url, () => checkLogin(url)));
    if (directUrl !== undefined)
      await whenBehind(async () => reached('DATABASE_DIRECT_URL', directUrl, () => checkLogin(directUrl)));
    else await warnOfPooler(url, logger);
    if (!isMigrating) await whenBehind(async () => inWords(await asApp(directUrl ?? url, missing)));
    if (readUrl !== undefined) await checkReplicas(readUrl, logger);
    const urls = { url, directUrl, readUrl };
    return {
      url: directUrl ?? url,
      urls,
      applied,
      failed: new Promise(() => undefined),
      stop: async () => undefined,
    };
  }
  const server = await startEmbeddedPostgres({ dataDir: resolve(env.DATA_DIR), logger });
  try {
    await createDatabase(server.url('postgres'));
    const ownerUrl = server.url(databaseName);
    await assertKeyOfRunning(ownerUrl, keyring);
    const password = keyring.deriveText('database login');
    const applied = await migrate(ownerUrl, password, logger);
    const url = new URL(ownerUrl);
    url.username = login;
    url.password = password;
    await checkLogin(url.href);
    const urls = { url: url.href };
    return { url: url.href, urls, applied, failed: server.supervise(), stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Migrates the operator's database; the login of `url`, where it is known, gets its password and is checked. */
export async function migrateNamed(
  ownerUrl: string,
  url: string | undefined,
  logger: Logger,
  whenBehind: WhenBehind = endWhenBehind,
): Promise<AppliedSteps[]> {
  await whenBehind(async () =>
    reached('DATABASE_OWNER_URL', ownerUrl, () => withClient(ownerUrl, async () => undefined)),
  );
  const applied = await migrate(ownerUrl, url === undefined ? undefined : passwordIn(url), logger);
  if (url !== undefined) await whenBehind(async () => reached('DATABASE_URL', url, () => checkLogin(url)));
  return applied;
}

/** For commands on a panel that exists: the first start makes the embedded cluster, and nothing else does. */
export function assertDatabaseExists(env: DatabaseEnv): void {
  const dataDir = resolve(env.DATA_DIR);
  if (env.DATABASE_URL || env.DATABASE_OWNER_URL || hasEmbeddedCluster(dataDir)) return;
  throw new OperatorError(
    `There is no database of a panel in ${dataDir}; the first start of a panel makes one. Set DATA_DIR to the folder of ` +
      'the panel that is meant, or DATABASE_URL and DATABASE_OWNER_URL to a PostgreSQL of your own.',
  );
}

/** Makes the roles and brings every area's schema up to date, as the owner. */
export async function migrate(
  ownerUrl: string,
  password: string | undefined,
  logger: Logger,
): Promise<AppliedSteps[]> {
  const parts = await withClient(ownerUrl, async (owner) => {
    await ensureRoles(owner, {
      areas: [...schemaNames],
      login: password === undefined ? { name: login } : { name: login, password },
    });
    // Before the areas: whoever sees that they have all their steps may begin, and makes queues.
    await migrateJobs(ownerUrl, schemaNames, logger);
    const found: { name: string; migrations: readonly AreaMigration[]; isCurrent: boolean }[] = [];
    for (const { name, migrations: all } of schemas) {
      const migrations = await dueSteps(owner, name, all, logger);
      found.push({ name, migrations, isCurrent: await isMigrated(owner, name, migrations) });
    }
    return found;
  });
  const applied: AppliedSteps[] = [];
  for (const { name, migrations, isCurrent } of parts) {
    if (isCurrent) {
      applied.push({ area: name, steps: [] });
      continue;
    }
    const steps = await migrateArea({ area: name, ownerUrl, migrations, logger });
    if (steps.length > 0) logger.info({ area: name, steps }, 'the database was migrated');
    applied.push({ area: name, steps });
  }
  return applied;
}

/** What the database lacks of this version. */
async function missing(app: pg.Client): Promise<MissingSteps[]> {
  return [...(await missingSteps(app, schemas)), ...(await missingJobs(app))];
}

/** The steps without the contracts that a process which is there is too old for: they are put off until it is gone. */
async function dueSteps(
  owner: pg.Client,
  area: string,
  migrations: readonly AreaMigration[],
  logger: Logger,
): Promise<readonly AreaMigration[]> {
  const due: AreaMigration[] = [];
  for (const step of migrations) {
    const older =
      step.needs && (await isPending(owner, area, step)) ? await olderThan(owner, area, step.needs) : [];
    if (older.length === 0) due.push(step);
    else
      logger.warn(
        { area, step: step.name, waitsFor: older },
        'a step that takes away what older processes use is put off: migrate again when they are gone',
      );
  }
  return due;
}

async function isPending(owner: pg.Client, area: string, step: AreaMigration): Promise<boolean> {
  return !(await isMigrated(owner, area, [step]));
}

/** The password of the login follows the first key: whoever runs by another one would be let in no more. */
async function assertKeyOfRunning(ownerUrl: string, keyring: Keyring): Promise<void> {
  const others = await withClient(ownerUrl, (owner) => processesWithoutKey(owner, keyring));
  if (others.length === 0) return;
  throw new OperatorError(
    `The panel that runs on this database (${others.join(', ')}) does not hold the first key of SECRETS_KEY, by which the ` +
      'password of its login is made: start it anew with that key, and the one before behind it (SECRETS_KEY=new,old).',
  );
}

/** The processes at work that cannot open what is sealed with the first key. */
async function processesWithoutKey(client: pg.Client, { currentKeyId }: Keyring): Promise<string[]> {
  const { rows: found } = await client.query<{ isThere: boolean }>(
    `select to_regclass('platform.process') is not null as "isThere"`,
  );
  if (!found[0]?.isThere) return [];
  const { rows } = await client.query<{ name: string }>(processesWithoutKeySql('$1'), [currentKeyId]);
  return rows.map(({ name }) => name);
}

/** Those who do not know these steps, of those who may be at work. */
async function olderThan(owner: pg.Client, area: string, needs: readonly string[]): Promise<string[]> {
  const found = await owner.query<{ isThere: boolean }>(
    `select to_regclass('platform.process') is not null as "isThere"`,
  );
  if (!found.rows[0]?.isThere) return [];
  const { rows } = await owner.query<{ name: string }>(olderProcessesSql, [
    JSON.stringify(knownAs(area, needs)),
  ]);
  return rows.map(({ name }) => name);
}

/** Whether panel_app has no password; 'unknown' to an owner who may not look it up. */
export async function lacksPassword(ownerUrl: string): Promise<boolean | 'unknown'> {
  return withClient(ownerUrl, async (owner) => {
    const { rows } = await owner.query<{ maySee: boolean }>(
      `select has_column_privilege('pg_authid', 'rolpassword', 'select') as "maySee"`,
    );
    if (!rows[0]?.maySee) return 'unknown';
    const found = await owner.query('select from pg_authid where rolname = $1 and rolpassword is null', [
      login,
    ]);
    return found.rowCount === 1;
  });
}

function passwordIn(url: string): string | undefined {
  const { password } = new URL(url);
  return password === '' ? undefined : decodeURIComponent(password);
}

async function checkLogin(url: string): Promise<void> {
  await asApp(url, (client) => assertSafeLogin(client, [...schemaNames]));
}

/** Replicas may be away: the primary is read then. */
async function checkReplicas(url: string, logger: Logger): Promise<void> {
  try {
    await checkLogin(url);
  } catch (error) {
    if (!isPassing(error)) throw error;
    logger.warn({ err: error }, 'the replicas of DATABASE_READ_URL do not answer: the primary is read');
  }
}

/** Where the server's process has another number than it was said to have, something stands between. */
async function warnOfPooler(url: string, logger: Logger): Promise<void> {
  const isPooled = await asApp(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid !== (client as unknown as { processID: number }).processID;
  });
  if (isPooled)
    logger.warn(
      'DATABASE_URL leads to a pooler: unless that pools by session, set DATABASE_DIRECT_URL to the server itself, ' +
        'for notifications and locks belong to a session',
    );
}

async function createDatabase(maintenanceUrl: string): Promise<void> {
  await withClient(maintenanceUrl, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(databaseName)}`);
  });
}

/** As the owner, for what is done apart from starting. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: waits.ownerConnect,
    keepAlive: true,
    keepAliveInitialDelayMillis: waits.keepAlive,
  });
  // What it is asked fails by itself when the connection is lost.
  client.on('error', () => undefined);
  return connected(client, work);
}

/** As the application's login, for short looks: nothing is waited for longer than in a request. */
async function asApp<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return connected(new GuardedClient({ connectionString: url }), work);
}

async function connected<T>(client: pg.Client, work: (client: pg.Client) => Promise<T>): Promise<T> {
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
