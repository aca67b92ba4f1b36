import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import { PostgresDialect } from 'kysely';
import pg from 'pg';

import type { Logger } from '../logger.js';
import type { OutboxEvent } from '../outbox/outbox.js';
import { Connections } from './connections.js';
import { Driver } from './driver.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import { currentPatience, deadlineSettings } from './patience.js';
import { preparedRead } from './prepared-read.js';
import type { LogPosition, ReadPositions } from './read-positions.js';
import { Replicas } from './replicas.js';
import { areaRoles } from './roles.js';
import { TenantReads, type ReadOptions } from './tenant-reads.js';
import { TransactionClient } from './transaction-client.js';

export type { SqlEntityManager } from '@mikro-orm/postgresql';

/** Runs statements whose rows it answers, with `?` for values. */
export interface RowReader {
  execute<Rows extends object[]>(sql: string, values?: readonly ReadValue[]): Promise<Rows>;
}

/** An entity class carrying MikroORM's decorators. */
export type EntityClass = new (...args: never[]) => object;

export type DatabaseOptions = {
  /** The subgraph's name, which is also its PostgreSQL schema and the stem of its roles. */
  area: string;
  entities: readonly EntityClass[];
  logger: Logger;
} & (
  | {
      /** Those of the process, which whoever made them closes. */
      connections: Connections;
      /** How far tenants have written, where there are replicas. */
      positions?: ReadPositions | undefined;
    }
  | /** For a command that opens one area alone: connections of its own, closed with it. */ {
      url: string;
      poolSize: number;
    }
);

/** One subgraph's part of the database. Hands out entity managers that can see only what their role and tenant may. */
export class Database {
  private readonly listeners = new Set<(events: readonly OutboxEvent[]) => void>();

  private readonly reads: TenantReads;

  private constructor(
    readonly area: string,
    readonly connections: Connections,
    readonly orm: MikroORM,
    private readonly ownsConnections: boolean,
    private readonly positions: ReadPositions | undefined,
    readonly logger: Logger,
  ) {
    this.reads = new TenantReads(connections, area, positions && new Replicas(connections, positions));
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const isShared = 'connections' in options;
    const connections = isShared
      ? options.connections
      : new Connections(options.url, { requests: options.poolSize, background: options.poolSize });
    // Its `init` would load each of its packages that is installed, of which no program needs a second copy of the ORM.
    const orm = new MikroORM({
      driver: Driver,
      clientUrl: connections.url,
      driverOptions: dialectOf(connections),
      schema: options.area,
      entities: [...options.entities],
      discovery: { warnWhenNoEntities: false, checkDuplicateTableNames: false },
      // It would ask the server for each area whether the database is there.
      ensureDatabase: false,
      forceUtcTimezone: true,
      logger: (message) => options.logger.debug({ area: options.area }, message),
    });
    const positions = isShared ? options.positions : undefined;
    return new Database(options.area, connections, orm, !isShared, positions, options.logger);
  }

  /** An entity manager whose every statement runs as `<area>_app` for this tenant; row-level security hides the rest. */
  forTenant(tenantId: string): SqlEntityManager {
    return this.fork('app', tenantId);
  }

  /** Plain rows of one statement with `?` for its values, as the tenant, at a fraction of an entity manager's cost. */
  async select<Row extends object>(
    tenantId: string,
    sql: string,
    values: readonly ReadValue[],
    options?: ReadOptions,
  ): Promise<Row[]> {
    try {
      return await this.reads.select<Row>(tenantId, sql, values, options);
    } catch (error) {
      throw error instanceof Error
        ? this.orm.em.getPlatform().getExceptionConverter().convertException(error)
        : error;
    }
  }

  /**
   * An entity manager before the tenant is known: row-level security shows it nothing. It may call the area's
   * SECURITY DEFINER lookups, which take a secret's hash and answer with ids only.
   */
  anonymous(): SqlEntityManager {
    return this.fork('app', '');
  }

  /** Calls `listener` with the events of each write of this process, right after it has committed. */
  onCommitted(listener: (events: readonly OutboxEvent[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * For `Operation.write`: the tenant is not read from replicas that lack what it has just committed. Nothing to be done
   * without replicas.
   */
  async wrote(tenantId: string): Promise<void> {
    if (!this.positions) return;
    // What has been committed is answered for, whatever becomes of this.
    const position = await this.logPosition().catch(() => undefined);
    await this.positions.wrote(tenantId, position);
  }

  /** For who tells of events: none of the tenants is read from replicas that lack what they are told of. */
  async heard(tenantIds: ReadonlySet<string>): Promise<void> {
    if (!this.positions || tenantIds.size === 0) return;
    const position = await this.logPosition();
    if (position !== undefined) this.positions.heard(tenantIds, position);
  }

  /** How far the log goes. All that has been committed is before it. */
  async logPosition(): Promise<LogPosition | undefined> {
    const [row] = await inOneMessage<{ timeline: string | null; lsn: string }>(
      this.connections,
      { role: areaRoles(this.area).app },
      `select max(timeline)::text as timeline, pg_current_wal_insert_lsn()::text as lsn from platform.timeline`,
      [],
    );
    return row && row.timeline !== null ? { timeline: row.timeline, lsn: row.lsn } : undefined;
  }

  /** For `Operation.write`: tells the listeners. */
  announce(events: readonly OutboxEvent[]): void {
    for (const listener of this.listeners) listener(events);
  }

  /** For system-em.ts only, which only `*.job.ts` files may import. */
  forJobs(): SqlEntityManager {
    return this.fork('jobs', '');
  }

  /** As `forJobs`, for single statements: each is its own transaction and takes one round trip. */
  readerForJobs(): RowReader {
    return this.single({ role: areaRoles(this.area).jobs, 'app.tenant_id': '' });
  }

  /** As `readerForJobs`, for what is run again and again: each connection has it parsed and planned once. */
  preparedForJobs(): RowReader {
    if (!this.connections.keepsStatements) return this.readerForJobs();
    const as = { role: areaRoles(this.area).jobs, tenantId: '' };
    return {
      execute: async <Rows extends object[]>(sql: string, values: readonly ReadValue[] = []) =>
        (await preparedRead(this.connections, as, sql, values, pg.types)) as Rows,
    };
  }

  /** As `anonymous`, for single statements: each is its own transaction and takes one round trip. */
  readerForNobody(): RowReader {
    return this.single({ role: areaRoles(this.area).app, 'app.tenant_id': '' });
  }

  /** As `anonymous`, for what is asked again and again: it shares messages with all that is asked in the same moment. */
  questions(): RowReader {
    return this.asking(areaRoles(this.area).app);
  }

  /** As `questions`, over all tenants; for system-em.ts and those beside it. */
  questionsForJobs(): RowReader {
    return this.asking(areaRoles(this.area).jobs);
  }

  private single(settings: Readonly<Record<string, string>>): RowReader {
    return {
      execute: async <Rows extends object[]>(sql: string, values: readonly ReadValue[] = []) =>
        (await inOneMessage(this.connections, settings, sql, values)) as Rows,
    };
  }

  private asking(role: string): RowReader {
    return {
      execute: async <Rows extends object[]>(sql: string, values: readonly ReadValue[] = []) =>
        (await this.connections.questions.ask(role, sql, values)) as Rows,
    };
  }

  async close(): Promise<void> {
    await this.orm.close();
    if (this.ownsConnections) await this.connections.close();
  }

  private fork(role: 'app' | 'jobs', tenantId: string): SqlEntityManager {
    const em = this.orm.em.fork();
    // set_config('role', ..., true) is SET LOCAL ROLE; as a variable it shares one round trip with the tenant.
    em.setSessionContext({
      variables: {
        role: `${this.area}_${role}`,
        'app.tenant_id': tenantId,
        ...deadlineSettings(currentPatience()),
      },
    });
    return em;
  }
}

/** Makes the ORM take its connections from those of the process, which outlive it. */
function dialectOf(connections: Connections): PostgresDialect {
  return new PostgresDialect({
    pool: {
      connect: async () => new TransactionClient(await connections.take()),
      end: async () => undefined,
      options: {},
    },
  });
}
