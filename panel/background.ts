import type { AreaFacts } from '#platform/area.js';
import type { Clock } from '#platform/clock.js';
import type { Connections } from '#platform/database/connections.js';
import type { Database } from '#platform/database/database.js';
import { measureJobs } from '#platform/jobs/job-metrics.job.js';
import type { JobDefinition } from '#platform/jobs/job.js';
import { JobRunner } from '#platform/jobs/runner.js';
import type { Logger } from '#platform/logger.js';
import { Lease } from '#platform/membership/lease.js';
import { Leases } from '#platform/membership/leases.js';
import type { SingletonLoop } from '#platform/membership/loop.js';
import { ProcessSession } from '#platform/membership/process-session.js';
import { ProcessRegistry } from '#platform/membership/registry.js';
import { sweepLoop } from '#platform/membership/sweep.job.js';
import type { Sweep } from '#platform/membership/sweep.js';
import { Turns } from '#platform/membership/turns.js';
import type { Metrics } from '#platform/metrics.js';
import { consumeLoop } from '#platform/outbox/consume.job.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import { measureConsumers } from '#platform/outbox/outbox-metrics.job.js';
import { outboxRetention } from '#platform/outbox/retention.job.js';

import { within } from './shutdown.js';

// For what is under way when nothing more is begun, and once more before the leases are given up. Each is less than its
// phase of the shutdown: to be late is no fault of a job, and to give it back takes a moment as well.
const patienceMs = 1_200;
const lastPatienceMs = 500;

/** What an area wants done in the background. */
export interface BackgroundWork {
  database: Database;
  sweeps: readonly Sweep[];
  consumers: readonly Consumer[];
  jobs?: readonly JobDefinition[];
}

export interface BackgroundOptions {
  /** Those of the process. */
  connections: Connections;
  /** How many jobs of one kind this process does at a time. */
  jobConcurrency?: number;
  /** Keeps the lease. */
  platform: Database;
  areas: readonly BackgroundWork[];
  /** Every area whose events may be consumed. */
  sources: readonly AreaFacts[];
  nodeName: string;
  version: string;
  /** The steps of all areas that this version knows, as area/step. */
  knows: readonly string[];
  /** The ids of the keys that this process holds of SECRETS_KEY. */
  secretsKeys?: readonly string[];
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** Background work of the areas in this process: singletons, while it holds their lease, and jobs at all times. */
export class Background {
  readonly registry: ProcessRegistry;
  private readonly session: ProcessSession;
  private readonly connections: Connections;
  private readonly logger: Logger;
  private stopListening: (() => Promise<void>) | undefined;
  private ending: Promise<unknown> | undefined;
  private resting: Promise<void> | undefined;
  private readonly leases: Leases;
  private readonly loops: readonly SingletonLoop[];
  private readonly jobs: JobRunner;

  constructor(options: BackgroundOptions) {
    const { connections, platform, areas, sources, nodeName, version, knows, secretsKeys = [] } = options;
    const { clock, logger, metrics } = options;
    this.connections = connections;
    this.logger = logger;
    this.session = new ProcessSession(options.connections, nodeName, logger);
    const { id } = this.session;
    const names = areas.map(({ database }) => database.area);
    this.registry = new ProcessRegistry(
      platform,
      connections,
      { id, nodeName, version, areas: names, knows, secretsKeys },
      logger,
    );
    this.leases = new Leases(
      areas.map(({ database }) => new Lease(platform, database.area, this.session, logger)),
      platform,
      this.session,
      logger,
    );
    // Each takes a connection for as long as minutes, of the few that all background work has.
    const longTurns = new Turns(2);
    this.loops = areas.flatMap(({ database, sweeps, consumers }, index) => {
      const lease = this.leases.all[index]!;
      return [
        ...[...sweeps, outboxRetention(database.area)].map((sweep) =>
          sweepLoop(sweep, { database, lease, clock, logger, longTurns }),
        ),
        ...(consumers.length === 0 ? [] : sources).map(({ database: source, tail }) =>
          consumeLoop({ database, consumers, source, tail, lease, clock, logger }),
        ),
      ];
    });
    this.jobs = new JobRunner({
      connections: options.connections,
      areas: areas.map(({ database, jobs = [] }) => ({ database, jobs })),
      concurrency: options.jobConcurrency ?? 2,
      clock,
      logger,
      // They have been waited for.
      stopWithinMs: 0,
      metrics,
    });
    metrics.gauge(
      'panel_lease_epoch',
      'The epoch of each lease that this process holds; absent while it does not, or cannot renew it in time.',
      ['lease'],
      () =>
        this.leases.all.flatMap(({ name: lease, lasting }) =>
          lasting ? [{ labels: { lease }, value: Number(lasting.epoch) }] : [],
        ),
    );
    metrics.gauge(
      'panel_clock_skew_seconds',
      "By how much this process's clock is ahead of the database's; below zero where it is behind.",
      [],
      () => [{ labels: {}, value: this.registry.clockSkew.seconds }],
    );
    const from = sources.map(({ database }) => database);
    for (const { database, consumers } of areas)
      measureConsumers(metrics, { database, consumers, sources: from, clock });
    measureJobs(
      metrics,
      platform,
      areas.flatMap(({ jobs = [] }) => jobs.map(({ name }) => name)),
    );
  }

  async start(): Promise<void> {
    await this.session.start();
    await this.registry.start();
    void this.registry.outdated
      .then(async () => this.rest())
      .catch((error: unknown) => this.logger.warn({ err: error }, 'background work did not end'));
    if (this.registry.outdatedBy !== undefined) return;
    // Leases may be handed to another process: both hear of it at once.
    this.stopListening = await this.connections.standing.listen('membership', {
      hear: () => void this.leases.renew(),
    });
    await this.leases.start();
    for (const loop of this.loops) loop.start();
    await this.jobs.start();
  }

  /**
   * Begins no job and no step any more, keeps the leases that it has and takes no others; waits for what is under way, but
   * not for long. A job that is late is told so while all that it calls still answers, and another process may have it.
   */
  async end(withinMs = patienceMs): Promise<void> {
    this.leases.keep();
    this.ending ??= Promise.all([this.jobs.rest(), ...this.loops.map((loop) => loop.stop())]);
    if (!(await within(withinMs, this.ending))) await this.jobs.stop();
  }

  async stop(): Promise<void> {
    await this.rest();
    await this.registry.stop();
    await this.session.stop();
  }

  /** Lets what is under way finish for a while, then gives the leases up: what is late finds its epoch gone. */
  private async rest(): Promise<void> {
    this.resting ??= (async () => {
      await this.end(lastPatienceMs);
      await this.jobs.stop();
      await this.stopListening?.();
      await this.leases.stop();
    })();
    await this.resting;
  }
}
