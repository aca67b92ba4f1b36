import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { PgBoss } from 'pg-boss';

import { askAs, type MissingSteps } from '../database/missing-steps.js';
import { waits } from '../database/patience.js';
import { areaRoles } from '../database/roles.js';
import { OperatorError } from '../errors.js';
import type { Logger } from '../logger.js';

/** The PostgreSQL schema of the job queues, one for all areas. */
export const jobsSchema = 'jobs';

/** How long a job that failed for good is kept, for whoever looks into it. Those that are done make room within an hour or so. */
export const keptFailedSeconds = 7 * 24 * 60 * 60;
export const keptDoneSeconds = 60 * 60;

// pg-boss has none for what it and the panel ask several times a minute, and for what failed: otherwise each time all jobs
// that are kept are read.
const indexes = {
  job_common_active: `(name) where state = 'active'`,
  job_common_failed: `(name, completed_on) where state = 'failed'`,
  job_common_failed_lately: `(name) where state = 'failed' and deletion_seconds < ${keptFailedSeconds}`,
};

/** The version of its tables that this pg-boss works on, and refuses to work on another: it tells it nowhere else. */
const bossVersion = (createRequire(import.meta.url)('pg-boss/package.json') as { pgboss: { schema: number } })
  .pgboss.schema;

/** The queues' part of what the database lacks, as the application's login sees it: tables, or the right to them. */
export async function missingJobs(app: pg.Client): Promise<MissingSteps[]> {
  const found = await askAs<{ version: number }>(
    app,
    areaRoles('platform').jobs,
    `select version from ${jobsSchema}.version`,
  );
  const isThere = found?.some(({ version }) => version >= bossVersion) ?? false;
  return isThere ? [] : [{ area: jobsSchema, steps: [`pg-boss ${bossVersion}`] }];
}

/**
 * Brings the job queues' schema up to date as the owner. Every area's jobs role may work on the queues; the app roles,
 * as which requests run, may not even see them.
 */
export async function migrateJobs(ownerUrl: string, areas: readonly string[], logger: Logger): Promise<void> {
  const owner = new pg.Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: waits.ownerConnect,
    keepAlive: true,
  });
  await owner.connect();
  try {
    // Until this connection ends: processes that start together migrate one after the other.
    await owner.query(`set lock_timeout = ${waits.migration}`);
    await owner.query(`select pg_advisory_lock(hashtext('migrate jobs'))`);
    await createSchema(owner);
    await installBoss(ownerUrl, logger);
    await makeIndexes(owner);
    const roles = areas.map((area) => pg.escapeIdentifier(areaRoles(area).jobs)).join(', ');
    // All or none: by the right to look the others are known to be there.
    await owner.query(`begin; ${grantSql(roles).join('; ')}; commit`);
  } finally {
    await owner.end();
  }
}

async function createSchema(owner: pg.Client): Promise<void> {
  const { rowCount } = await owner.query('select from pg_namespace where nspname = $1', [jobsSchema]);
  if (rowCount) return;
  try {
    await owner.query(`create schema ${jobsSchema}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === '42501')) throw error;
    const { rows } = await owner.query<{ name: string }>('select current_user as name');
    const name = pg.escapeIdentifier(rows[0]!.name);
    throw new OperatorError(
      `The database's owner may not make a schema. Run this as a superuser and start again:\n` +
        `  create schema ${jobsSchema} authorization ${name};`,
      { cause: error },
    );
  }
}

async function installBoss(ownerUrl: string, logger: Logger): Promise<void> {
  const boss = new PgBoss({
    connectionString: ownerUrl,
    schema: jobsSchema,
    application_name: 'panel jobs migration',
    createSchema: false,
    max: 2,
    supervise: false,
    schedule: false,
    bamIntervalSeconds: 10,
  });
  boss.on('error', (error) => logger.error({ err: error }, 'migrating the job queues met an error'));
  await boss.start();
  try {
    // An upgrade of pg-boss may leave indexes to be built in the background, which only the owner can do.
    while (await hasIndexesToBuild(boss)) await sleep(1_000);
  } finally {
    await boss.stop({ graceful: false });
  }
}

/** Where they are there already nothing is locked. */
async function makeIndexes(owner: pg.Client): Promise<void> {
  for (const [name, columns] of Object.entries(indexes)) {
    const { rowCount } = await owner.query(
      'select from pg_indexes where schemaname = $1 and indexname = $2',
      [jobsSchema, name],
    );
    if (!rowCount) await owner.query(`create index ${name} on ${jobsSchema}.job_common ${columns}`);
  }
}

async function hasIndexesToBuild(boss: PgBoss): Promise<boolean> {
  const states = await boss.getBamStatus();
  return states.some(({ status }) => status === 'pending' || status === 'in_progress');
}

function grantSql(roles: string): string[] {
  const rights = 'select, insert, update, delete';
  return [
    `grant usage on schema ${jobsSchema} to ${roles}`,
    `grant ${rights} on all tables in schema ${jobsSchema} to ${roles}`,
    `grant usage on all sequences in schema ${jobsSchema} to ${roles}`,
    // Partitions and what a later version of pg-boss adds.
    `alter default privileges in schema ${jobsSchema} grant ${rights} on tables to ${roles}`,
    `alter default privileges in schema ${jobsSchema} grant usage on sequences to ${roles}`,
  ];
}
