import { Migration, Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';

import type { Logger } from '../logger.js';
import { sqlCodeOf } from './outage.js';
import { waits } from './patience.js';

/** One step of an area's schema. Applied steps are never edited. */
export interface AreaMigration {
  name: string;
  statements: readonly string[];
  /** Of a contract: the steps before it, which a process has to know to live with it. */
  needs?: readonly string[];
}

/** Names a migration and its SQL: `migration('001_users', ['create table ...'], tenantTableSql(...))`. */
export function migration(name: string, ...statements: (string | readonly string[])[]): AreaMigration {
  return { name, statements: statements.flat() };
}

/**
 * A step that takes away what versions used that do not know `needs`, the latest steps before it: it is applied once no
 * process of such a version is there, whatever else is migrated meanwhile. So later steps must not rely on it, and the
 * version that first does without has a step of its own to be known by, if only an empty one.
 */
export function contract(name: string, needs: readonly string[], ...statements: string[]): AreaMigration {
  return { name, statements, needs };
}

/** What a process says to know of an area's steps, and what a contract asks for. */
export function knownAs(area: string, steps: readonly (string | AreaMigration)[]): string[] {
  return steps.map((step) => `${area}/${typeof step === 'string' ? step : step.name}`);
}

/** Whether an area has had all its steps: a look that costs a start next to nothing, where `migrateArea` makes an ORM. */
export async function isMigrated(
  owner: pg.Client,
  area: string,
  migrations: readonly AreaMigration[],
): Promise<boolean> {
  const table = `${pg.escapeIdentifier(area)}.migration`;
  const found = await owner.query<{ isThere: boolean }>(`select to_regclass($1) is not null as "isThere"`, [
    table,
  ]);
  if (!found.rows[0]?.isThere) return false;
  const { rows } = await owner.query<{ name: string }>(`select name from ${table}`);
  const applied = new Set(rows.map(({ name }) => name));
  return migrations.every(({ name }) => applied.has(name));
}

/**
 * Brings one area's schema up to date as the owner. All steps of a run share one transaction; processes that start
 * together queue on an advisory lock, so that each step runs once. Answers the names of the steps that were applied.
 */
export async function migrateArea(options: {
  area: string;
  ownerUrl: string;
  migrations: readonly AreaMigration[];
  logger: Logger;
}): Promise<string[]> {
  const orm = await MikroORM.init({
    clientUrl: options.ownerUrl,
    schema: options.area,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: 2 },
    driverOptions: { connectionTimeoutMillis: waits.ownerConnect, keepAlive: true },
    extensions: [Migrator],
    migrations: {
      tableName: 'migration',
      snapshot: false,
      disableForeignKeys: false,
      migrationsList: options.migrations.map((step) => ({
        name: step.name,
        class: toClass(options.area, step),
      })),
    },
    logger: (message) => options.logger.debug({ area: options.area }, message),
  });
  try {
    return await undeadlocked(options, async () =>
      orm.em.transactional(async (em) => {
        // No deadline for a statement: filling a column of a large table takes what it takes.
        await em.execute(`set local lock_timeout = ${waits.migration}`);
        await em.execute('select pg_advisory_xact_lock(hashtext(?))', [`migrate ${options.area}`]);
        await em.execute(`set local lock_timeout = ${waits.migrationLock}`);
        const applied = await orm.migrator.up({ transaction: em.getTransactionContext() });
        return applied.map(({ name }) => name);
      }),
    );
  } finally {
    await orm.close();
  }
}

const deadlockDetected = '40P01';
const mostAttempts = 5;

/**
 * Processes of the version before are at work meanwhile, and lock tables in an order of their own. Where PostgreSQL ends
 * the migration of the two, nothing of it was done, and those that it waited for have ended by the next attempt.
 */
async function undeadlocked<T>(
  { area, logger }: { area: string; logger: Logger },
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      if (sqlCodeOf(error) !== deadlockDetected || attempt === mostAttempts) throw error;
      logger.warn(
        { area, err: error },
        'the migration and others at work waited for each other: it begins anew',
      );
    }
}

function toClass(
  area: string,
  { name, statements, needs }: AreaMigration,
): new (...args: ConstructorParameters<typeof Migration>) => Migration {
  return class extends Migration {
    override up(): void {
      for (const statement of statements) this.addSql(statement);
      if (needs) this.addSql(recorded(area, name, needs));
    }
  };
}

/** In the transaction of the step: by it processes know that they are too old. */
function recorded(area: string, name: string, needs: readonly string[]): string {
  const list = knownAs(area, needs).map((each) => pg.escapeLiteral(each));
  return `insert into platform.contract (area, step, needs)
    values (${pg.escapeLiteral(area)}, ${pg.escapeLiteral(name)}, array[${list.join(', ')}]::text[])`;
}
