import { setTimeout as sleep } from 'node:timers/promises';

import { Migration, Migrator } from '@mikro-orm/migrations';
import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';

import type { Logger } from '../logger.js';
import { buildIndexes, isIndex } from './large-indexes.js';
import { sqlCodeOf } from './outage.js';
import { waits } from './patience.js';

/** One step of an area's schema. Applied steps are never edited. */
export interface AreaMigration {
  name: string;
  statements: readonly string[];
  /** Of a contract: the steps before it, which a process has to know to live with it. */
  needs?: readonly string[];
  /** Its indexes are built before it, outside of a transaction. */
  buildsIndexes?: boolean;
}

/** Names a migration and its SQL: `migration('001_users', ['create table ...'], tenantTableSql(...))`. */
export function migration(name: string, ...statements: (string | readonly string[])[]): AreaMigration {
  return { name, statements: statements.flat() };
}

/**
 * A step with indexes of tables that may be large: `create index` inside of a transaction would keep all who write there
 * waiting until it is built. They need nothing else of the step, which follows when they are there. The statements are
 * those of any step, so one that was written without this may have it still.
 */
export function indexing(name: string, ...statements: string[]): AreaMigration {
  return { name, statements, buildsIndexes: true };
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

interface MigrateOptions {
  area: string;
  ownerUrl: string;
  migrations: readonly AreaMigration[];
  logger: Logger;
}

/**
 * Brings one area's schema up to date as the owner. Each step is a transaction with its row in the table of steps: what it
 * has locked is free again after it, events do not wait for those behind it, and a run that was cut off goes on after the
 * last one. Indexes of large tables are there before their step begins. Processes that start together take turns by an
 * advisory lock, so that each step runs once. Answers the names of the steps that were applied here.
 */
export async function migrateArea(options: MigrateOptions): Promise<string[]> {
  const built = new Set<string>();
  const orm = new MikroORM({
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
        class: toClass(options.area, step, built),
      })),
    },
    logger: (message) => options.logger.debug({ area: options.area }, message),
  });
  try {
    const applied: string[] = [];
    for (;;) {
      const { steps, indexes } = await patiently(options, async () => applyNext(orm, options, built));
      if (steps.length + indexes.length === 0) return applied;
      applied.push(...steps);
      if (indexes.length > 0) await patiently(options, async () => buildIndexes(options, indexes));
      for (const index of indexes) built.add(index);
    }
  } finally {
    await close(orm);
  }
}

/** A connection that was lost inside its transaction never goes back to its pool, which would wait for it for ever. */
async function close(orm: MikroORM): Promise<void> {
  const closed = new AbortController();
  const tooLate = sleep(waits.close, undefined, { signal: closed.signal }).catch(() => undefined);
  await Promise.race([orm.close(), tooLate]);
  closed.abort();
}

/**
 * The next step that is due, or else the indexes to build before it; of a schema that is new all steps, since nobody is
 * at work there.
 */
async function applyNext(
  orm: MikroORM,
  { area, migrations }: MigrateOptions,
  built: ReadonlySet<string>,
): Promise<{ steps: string[]; indexes: string[] }> {
  return orm.em.transactional(async (em) => {
    // No deadline for a statement: filling a column of a large table takes what it takes.
    await em.execute(`set local lock_timeout = ${waits.migration}`);
    await em.execute('select pg_advisory_xact_lock(hashtext(?))', [`migrate ${area}`]);
    const known = await appliedSteps(em, area);
    const due = migrations.filter(({ name }) => !known.has(name));
    const isNew = known.size === 0;
    const indexes = isNew ? [] : indexesOf(due[0]).filter((index) => !built.has(index));
    const steps = (isNew ? due : due.slice(0, 1)).map(({ name }) => name);
    if (steps.length === 0 || indexes.length > 0) return { steps: [], indexes };
    await em.execute(`set local lock_timeout = ${waits.migrationLock}`);
    const applied = await orm.migrator.up({ transaction: em.getTransactionContext(), migrations: steps });
    return { steps: applied.map(({ name }) => name), indexes };
  });
}

function indexesOf(step: AreaMigration | undefined): readonly string[] {
  return step?.buildsIndexes ? step.statements.filter(isIndex) : [];
}

async function appliedSteps(em: SqlEntityManager, area: string): Promise<Set<string>> {
  const table = `${pg.escapeIdentifier(area)}.migration`;
  const [found] = await em.execute<{ isThere: boolean }[]>(`select to_regclass(?) is not null as "isThere"`, [
    table,
  ]);
  if (!found?.isThere) return new Set();
  const rows = await em.execute<{ name: string }[]>(`select name from ${table}`);
  return new Set(rows.map(({ name }) => name));
}

const deadlockDetected = '40P01';
const lockNotAvailable = '55P03';
const mostDeadlocks = 5;

/**
 * Processes of the version before are at work meanwhile, and lock tables in an order of their own. Where PostgreSQL ends
 * the step of the two, or a lock is not to be had in the time for which others may be kept waiting behind it, nothing of
 * the step was done, and it is tried again when those have had their turn.
 */
async function patiently<T>({ area, logger }: MigrateOptions, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + waits.migration;
  for (let deadlocks = 0; ;) {
    try {
      return await work();
    } catch (error) {
      const code = sqlCodeOf(error);
      if (code === deadlockDetected) deadlocks += 1;
      const mayTry = code === deadlockDetected ? deadlocks < mostDeadlocks : code === lockNotAvailable;
      if (!mayTry || performance.now() > until) throw error;
      logger.warn(
        { area, err: error },
        code === deadlockDetected
          ? 'the migration and others at work waited for each other: the step begins anew'
          : 'the migration waits for others at work, and lets those behind it go first: the step begins anew',
      );
    }
    await sleep(waits.migrationPause);
  }
}

function toClass(
  area: string,
  { name, statements, needs }: AreaMigration,
  built: ReadonlySet<string>,
): new (...args: ConstructorParameters<typeof Migration>) => Migration {
  return class extends Migration {
    override up(): void {
      for (const statement of statements) if (!built.has(statement)) this.addSql(statement);
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
