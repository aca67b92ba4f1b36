import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import { enqueue } from '#platform/jobs/enqueue.js';
import type { EnqueueOptions, JobDefinition, JobKind, JobPayload } from '#platform/jobs/job.js';
import { JobRunner, type JobRunnerOptions } from '#platform/jobs/runner.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';

import { createTestDatabase, type TestDatabase } from '../../support/panel.js';
import { noteTableSql } from './note-jobs.js';

/** A database of its own with job queues, and what tests of jobs do with it. */
export class JobsBench {
  readonly database!: Database;
  private home!: TestDatabase;
  private owner!: pg.Pool;
  private readonly databases: Database[] = [];
  private leftovers: (() => Promise<unknown>)[] = [];

  constructor() {
    beforeAll(async () => {
      this.home = await createTestDatabase();
      this.owner = new pg.Pool({ connectionString: this.home.ownerUrl, max: 2 });
      this.owner.on('error', () => undefined);
      for (const statement of noteTableSql) await this.owner.query(statement);
      Object.assign(this, { database: await this.open('fleet') });
    });
    afterEach(async () => {
      for (const stop of this.leftovers.splice(0)) await stop();
    });
    afterAll(async () => {
      await Promise.all(this.databases.map(async (database) => database.close()));
      await this.owner.end();
      await this.home.drop();
    });
  }

  get url(): string {
    return this.home.url;
  }

  /** A process's worth of runner, in this process; stopped after the test. */
  async run(jobs: readonly JobDefinition[], options: Partial<JobRunnerOptions> = {}): Promise<JobRunner> {
    const runner = new JobRunner({
      connections: this.database.connections,
      areas: [{ database: this.database, jobs }],
      concurrency: 2,
      clock: systemClock,
      logger: silentLogger,
      pollSeconds: 0.5,
      superviseSeconds: 1,
      ...options,
    });
    this.leftovers.push(async () => runner.stop());
    await runner.start();
    return runner;
  }

  /** A runner of `noteJobs` in a process of its own; killed after the test. */
  async spawn(): Promise<ChildProcess> {
    const script = assetPath('test', 'platform', 'support', 'job-worker.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, this.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.leftovers.push(async () => this.kill(child));
    await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(async ([code]) =>
        Promise.reject(new Error(`the worker ended with ${String(code)}`)),
      ),
    ]);
    return child;
  }

  async kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Enqueues in a transaction of the payload's tenant, and commits. */
  async enqueue<Payload extends JobPayload>(
    job: JobKind<Payload>,
    payload: NoInfer<Payload>,
    options: EnqueueOptions = {},
  ): Promise<void> {
    await this.database
      .forTenant(payload.tenantId)
      .transactional(async (em) => enqueue(em, 'fleet', job, payload, { causedBy: 'req-1', ...options }));
  }

  /** Runs SQL as the superuser, past every policy. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.owner.query<Row>(text, values)).rows;
  }

  /** How PostgreSQL answers a query where it reads no table from end to end that it need not. */
  async plan(query: string): Promise<string> {
    const client = await this.owner.connect();
    try {
      await client.query('begin');
      await client.query('set local enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${query}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  /** What jobs of the tenant have written, in its order. */
  async notes(tenantId: string): Promise<string[]> {
    const rows = await this.sql<{ word: string }>(
      'select word from fleet.note where tenant_id = $1 order by id',
      [tenantId],
    );
    return rows.map(({ word }) => word);
  }

  /** The states of the tenant's jobs, oldest first. */
  async states(tenantId: string): Promise<string[]> {
    return (await this.jobsOf(tenantId)).map(({ state }) => state);
  }

  async jobsOf(tenantId: string): Promise<{ state: string; retry_count: number; output: unknown }[]> {
    return this.sql(
      `select state, retry_count, output from jobs.job where data->>'tenantId' = $1 order by created_on, id`,
      [tenantId],
    );
  }

  /** One area's part of the database, closed after the tests. */
  async open(area: string): Promise<Database> {
    const database = await Database.open({
      area,
      url: this.url,
      entities: [],
      poolSize: 6,
      logger: silentLogger,
    });
    this.databases.push(database);
    return database;
  }
}
