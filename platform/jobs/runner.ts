import { setTimeout as sleep } from 'node:timers/promises';

import { PgBoss, type Queue } from 'pg-boss';

import type { Clock } from '../clock.js';
import type { Connections } from '../database/connections.js';
import type { Database } from '../database/database.js';
import { patience, withPatience } from '../database/patience.js';
import { areaRoles } from '../database/roles.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { attempt, type StoredJob } from './attempt.js';
import { bossDatabase } from './boss-database.js';
import { DueQueues } from './due-queues.js';
import type { JobDefinition } from './job.js';
import { jobsSchema, keptDoneSeconds } from './schema.js';
import { Supervision } from './supervision.js';

/** An area and the jobs it knows how to do. */
export interface AreaJobs {
  database: Database;
  jobs: readonly JobDefinition[];
}

export interface JobRunnerOptions {
  /** Those of the process. */
  connections: Connections;
  areas: readonly AreaJobs[];
  /** How many jobs of one kind this process does at a time, unless the kind says otherwise. */
  concurrency: number;
  clock: Clock;
  logger: Logger;
  metrics?: Metrics;
  /** How long jobs under way may go on when the process stops. */
  stopWithinMs?: number;
  /** How often jobs are looked for of which no notification told: retries and delayed jobs that have become due. */
  pollSeconds?: number;
  /** How often jobs are looked for whose process died or whose time is over. */
  superviseSeconds?: number;
}

// A process at work on a job says so twice in this time. Without it a job would wait for the end of its expireInSeconds
// after its process died.
const heartbeatSeconds = 30;
// Should a notification and what looks for due jobs both fail.
const ownLookSeconds = 600;
// How often those that were kept for long enough are removed.
const removeEverySeconds = 600;

/**
 * Does jobs, in every process of the panel; PostgreSQL sees to it that each job has one taker. A failed job stays
 * visible for a week: `select * from jobs.job where state = 'failed'`. pg-boss's clock is PostgreSQL's.
 */
export class JobRunner {
  private readonly work: { definition: JobDefinition; database: Database }[];
  /** Of the kinds of which there has been a job: their workers' ids. */
  private readonly workers = new Map<string, Promise<string[]>>();
  private boss: PgBoss | undefined;
  private due: DueQueues | undefined;
  private supervision: Supervision | undefined;
  private resting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: JobRunnerOptions) {
    this.work = options.areas.flatMap(({ database, jobs }) =>
      jobs.map((definition) => ({ definition, database })),
    );
    for (const { definition, database } of this.work) {
      const { name } = definition;
      if (!name.startsWith(`${database.area}.`)) throw new Error(`${name} is no job of ${database.area}`);
    }
  }

  /** Connects and begins; does nothing at all when there is no kind of job. */
  async start(): Promise<void> {
    if (this.work.length === 0) return;
    const { connections, logger, pollSeconds = 5, superviseSeconds = 15 } = this.options;
    // Its statements run as the platform's jobs role; the login by itself may do nothing.
    const role = areaRoles('platform').jobs;
    const db = bossDatabase(connections, role, (name) => this.wake(name));
    const boss = new PgBoss({
      db,
      schema: jobsSchema,
      migrate: false,
      schedule: false,
      // Not by itself, nor are there jobs that wait for others, which it would look for every five seconds.
      supervise: false,
      // Rebuilding an index takes its owner.
      reindex: false,
      monitorVacuum: false,
      // By what other processes have looked through meanwhile; less than the pause between two looks.
      monitorIntervalSeconds: Math.max(1, superviseSeconds - 2),
      maintenanceIntervalSeconds: removeEverySeconds,
      useListenNotify: true,
    });
    boss.on('error', (error) => logger.error({ err: error }, 'the job queues met an error'));
    boss.on('warning', ({ message, data }) => logger.warn({ data }, message));
    this.boss = boss;
    // It reads all queues when it starts, and each that is made after that once more for each worker.
    await declareQueues(
      boss,
      this.work.map(({ definition }) => definition),
    );
    await boss.start();
    const names = this.work.map(({ definition }) => definition.name);
    const ask = async (sql: string) => connections.questions.ask(role, sql);
    this.supervision = new Supervision({ boss, db, names, everySeconds: superviseSeconds, ask }, (error) =>
      logger.error({ err: error }, 'the job queues met an error'),
    );
    this.supervision.start();
    this.due = new DueQueues({
      ask,
      names,
      everySeconds: pollSeconds,
      logger,
      onDue: (name) => this.wake(name),
    });
    this.due.start();
  }

  /**
   * Sees to it that jobs of the kind are looked for, of which there is one now or may be. Workers are made when they are
   * first of use: most processes that are small or young have done jobs of a few kinds only. Without a name something may
   * have been missed, which those that look for due jobs find.
   */
  private wake(name: string | undefined): void {
    const { boss } = this;
    if (!boss || this.resting) return;
    this.supervision?.stir();
    const work = this.work.find(({ definition }) => definition.name === name);
    if (!work) return;
    const { definition, database } = work;
    const known = this.workers.get(definition.name);
    const made = known ?? this.take(boss, definition, database);
    this.workers.set(definition.name, made);
    made.then(
      // Those that have just been made look by themselves.
      (ids) => known && ids.forEach((id) => boss.notifyWorker(id)),
      (error: unknown) => {
        this.workers.delete(definition.name);
        this.options.logger.error({ err: error, job: definition.name }, 'jobs of a kind could not be taken');
      },
    );
  }

  /** Takes no more jobs; resolves when those under way have ended. */
  async rest(): Promise<void> {
    const { boss } = this;
    if (!boss) return;
    this.resting ??= (async () => {
      const begun = [...this.workers].map(async ([name, made]) => {
        await made.catch(() => undefined);
        await boss.offWork(name, { wait: true });
      });
      await Promise.all([this.due?.stop(), ...begun]);
    })();
    await this.resting;
  }

  /**
   * Takes no more jobs and lets those under way finish; what is not done in time is told so by its signal and left to
   * another attempt. Safe to call again: all calls wait for the same end.
   */
  async stop(): Promise<void> {
    const { boss } = this;
    if (!boss) return;
    this.stopping ??= (async () => {
      const over = new AbortController();
      await Promise.race([
        this.rest(),
        sleep(this.options.stopWithinMs ?? 10_000, undefined, { signal: over.signal }).catch(() => undefined),
      ]);
      over.abort();
      await this.supervision?.stop();
      await boss.stop({ graceful: false });
    })();
    await this.stopping;
  }

  private async take(boss: PgBoss, definition: JobDefinition, database: Database): Promise<string[]> {
    const { concurrency, clock, logger, metrics } = this.options;
    const count = metrics?.counter(
      'panel_job_attempts_total',
      'Attempts at jobs by outcome: done, failed (it is tried again), or given up.',
      ['job', 'outcome'],
      ['done', 'failed', 'given up'].map((outcome) => ({ job: definition.name, outcome })),
    );
    const counted = (outcome: string) => count?.({ job: definition.name, outcome });
    const ids: string[] = [];
    const { atOnce = concurrency } = definition;
    for (let worker = 0; worker < atOnce; worker += 1) {
      let id = '';
      id = await boss.work(
        definition.name,
        {
          batchSize: 1,
          includeMetadata: true,
          // While nothing notifies.
          pollingIntervalSeconds: 2,
          notifyPollingIntervalSeconds: ownLookSeconds,
        },
        async ([job]: StoredJob[]) => {
          if (!job) return;
          // Where there was one there may be more: by itself it would look again after the interval only, so that a
          // thousand jobs enqueued at once took an hour.
          boss.notifyWorker(id);
          this.supervision?.stir();
          await withPatience(patience.background, async () =>
            attempt(definition, job, { database, clock, logger, counted }),
          );
        },
      );
      ids.push(id);
    }
    return ids;
  }
}

/** Makes the queues that are not there, and those as they are now that an earlier version made with other settings. */
async function declareQueues(boss: PgBoss, definitions: readonly JobDefinition[]): Promise<void> {
  const found = new Map(
    (await boss.getQueues(definitions.map(({ name }) => name))).map((queue) => [queue.name, queue]),
  );
  for (const { name, retry, expireInSeconds } of definitions) {
    const settings = {
      retryLimit: retry.limit,
      retryDelay: retry.delaySeconds,
      retryDelayMax: retry.maxDelaySeconds,
      retryBackoff: true,
      expireInSeconds,
      heartbeatSeconds,
      deleteAfterSeconds: keptDoneSeconds,
      notify: true,
    } satisfies Omit<Queue, 'name'>;
    const queue = found.get(name);
    const isAsWanted = (key: keyof typeof settings) => queue?.[key] === settings[key];
    // Another process may make it at the same time, with the settings of its own version.
    if (!queue) await boss.createQueue(name, settings);
    else if (!(Object.keys(settings) as (keyof typeof settings)[]).every(isAsWanted))
      await boss.updateQueue(name, settings);
  }
}
