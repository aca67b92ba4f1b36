import type { Router } from 'express';

import type { RunningArea } from '#platform/area.js';
import { RevocationFeed } from '#platform/auth/revocation-feed.job.js';
import { ServiceClient, type RunOperation } from '#platform/auth/service-client.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { TokenVerifier, type KeySource } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import { Connections, poolSizes, type DatabaseUrls } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import { knownAs } from '#platform/database/migrate.js';
import { patience, withPatience } from '#platform/database/patience.js';
import type { ReadPositions } from '#platform/database/read-positions.js';
import { copyConsumer, copySweep } from '#platform/erasure/copy.job.js';
import { erasureConsumer, erasureSweep } from '#platform/erasure/erasure.job.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { ProcessRegistry } from '#platform/membership/registry.js';
import { Metrics } from '#platform/metrics.js';
import { EventStreams } from '#platform/outbox/event-stream.js';
import { parkedSweep } from '#platform/outbox/parked.job.js';
import { OutboxTail } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { allPermissions, areaNames, areas, schemas, type AreaName, type AreaSettings } from './areas.js';
import { Background, type BackgroundWork } from './background.js';
import { measureDatabase } from './database-metrics.js';
import { panelVersion } from './version.js';

export interface SubgraphsOptions {
  /** Which of them this process runs. */
  names: readonly AreaName[];
  databaseUrls: DatabaseUrls;
  /** How far tenants have written, where there are replicas. */
  positions?: ReadPositions | undefined;
  /** How many connections its pool may have. */
  databaseConnections?: number;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  nodeName: string;
  /** Of the panel, as its processes tell each other. */
  version?: string;
  settings: AreaSettings;
  metrics?: Metrics;
  /** Finds the public keys of user tokens where the area that signs them runs in another process. */
  userKeys?: KeySource;
  /** The gateway, once there is one: by it areas ask each other. Without it nobody can be asked. */
  runOperation?: RunOperation;
  /** Whether the gateways are processes of their own. */
  isBehindGateways?: boolean;
}

/** The subgraphs of this process, wired together. */
export interface Subgraphs {
  all: readonly Subgraph[];
  /** The areas of this process. */
  running: ReadonlyMap<AreaName, RunningArea>;
  verifier: TokenVerifier;
  /** Routes that are not GraphQL. */
  routers: readonly Router[];
  /** Those that outside services call. */
  webhooks: readonly Router[];
  /** Starts what reads and writes by itself: keys, event tails, background steps. */
  start(): Promise<void>;
  /** The one-time link for making the first administrator; undefined once there is one, or where others make it. */
  setupLink(): Promise<string | undefined>;
  /** What keeps the subgraphs from serving; empty when they can. */
  problems(): Promise<string[]>;
  /** What is wrong without keeping them from it. */
  warnings(): string[];
  /** This process in the list of those that make up the panel. */
  registry: ProcessRegistry;
  /** Begins nothing by itself any more and waits for what is under way; requests and subscriptions go on. */
  endWork(): Promise<void>;
  /** Gives the leases up as well. */
  stopBackground(): Promise<void>;
  /** Once no request is under way any more. */
  stop(): Promise<void>;
}

// As long as jobs under way may go on.
const stopWithinMs = 10_000;

export async function createSubgraphs(options: SubgraphsOptions): Promise<Subgraphs> {
  const { names, clock, logger, keyring, publicUrl, nodeName, metrics = new Metrics() } = options;
  const { version = panelVersion } = options;
  const connections = new Connections(options.databaseUrls, poolSizes(options.databaseConnections));
  measureConnections(metrics, connections);
  const { databases, database } = await openDatabases(connections, options.positions, logger);
  measureDatabase(metrics, database('platform'), schemas);
  const wake = new OutboxWake(connections, logger);
  // All areas' events are followed in every process: some are consumed, and some say which tokens are good no more.
  const facts = new Map(
    areas.map(({ name }) => {
      const of = database(name);
      return [name, { database: of, tail: new OutboxTail(of, wake, logger) }] as const;
    }),
  );
  const tails = [...facts.values()].map(({ tail }) => tail);
  const revocations = new RevocationFeed(
    areas.flatMap((area) => area.revocations?.(facts.get(area.name)!) ?? []),
    clock,
    logger,
  );
  let userKeys = options.userKeys;
  const verifier = new TokenVerifier({
    issuer: publicUrl,
    keyring,
    userKeys: (kid) => userKeys?.(kid),
    clock,
    revocations,
  });

  const { runOperation = noGateway } = options;
  const tokens = new ServiceTokens(keyring, publicUrl, clock);
  const running = new Map<AreaName, RunningArea>();
  const work: BackgroundWork[] = [];
  for (const area of areas.filter(({ name }) => names.includes(name))) {
    const { name } = area;
    const own = facts.get(name)!;
    const made = area.create({
      ...own,
      settings: options.settings[name],
      keyring,
      clock,
      logger,
      metrics,
      publicUrl,
      streams: new EventStreams(own.database, own.tail),
      verifier,
      asService: (permissions) => new ServiceClient(name, permissions, tokens, runOperation),
      isBehindGateways: options.isBehindGateways ?? false,
      panel: { areas: areaNames, permissions: allPermissions },
    });
    running.set(name, made);
    userKeys = made.userKeys ?? userKeys;
    const { consumers = [], sweeps = [], jobs = [] } = made;
    const told = [erasureConsumer(name), copyConsumer(name), ...consumers];
    work.push({
      database: own.database,
      consumers: told,
      sweeps: [
        ...sweeps,
        erasureSweep(name, area.erasure),
        copySweep(name, area.erasure),
        parkedSweep(name, told),
      ],
      jobs,
    });
  }
  if (!userKeys)
    throw new Error('a process without identity needs to know where the keys of user tokens are');
  const background = new Background({
    connections,
    platform: database('platform'),
    areas: work,
    sources: [...facts.values()],
    nodeName,
    version,
    knows: schemas.flatMap(({ name, migrations }) => knownAs(name, migrations)),
    secretsKeys: keyring.keyIds,
    clock,
    logger,
    metrics,
  });
  const made = [...running.values()];
  const all = await Promise.all(made.map((area) => area.build()));

  return {
    all,
    running,
    verifier,
    routers: made.flatMap(({ routers = [] }) => routers),
    webhooks: made.flatMap(({ webhooks = [] }) => webhooks),
    start: async () => {
      await options.positions?.follow(async () =>
        withPatience(patience.background, async () => database(areaNames[0]!).logPosition()),
      );
      await wake.start();
      await Promise.all(tails.map((tail) => tail.start()));
      await revocations.start();
      await Promise.all(made.map(async (area) => area.start?.()));
      await background.start();
    },
    setupLink: async () => {
      // Nobody waits for an answer yet, and a busy machine is no reason not to start.
      for (const area of made)
        if (area.setupLink) return withPatience(patience.background, async () => area.setupLink?.());
      return undefined;
    },
    problems: async () => {
      const problem = await connections.problem();
      const { outdatedBy } = background.registry;
      return [
        ...(problem === undefined ? [] : [problem]),
        ...(outdatedBy === undefined
          ? []
          : [`this version is too old for the database, which has had ${outdatedBy}: start a newer one`]),
      ];
    },
    warnings: () => {
      const skew = background.registry.clockSkew.problem;
      return [...(skew === undefined ? [] : [skew]), ...made.flatMap((area) => area.warnings?.() ?? [])];
    },
    registry: background.registry,
    endWork: () => background.end(),
    stopBackground: () => background.stop(),
    stop: async () => {
      options.positions?.stop();
      // A step that waits for a database that is gone must not keep the process.
      const tooLate = setTimeout(() => connections.cut(), stopWithinMs);
      await Promise.all(made.map(async (area) => area.stop?.()));
      await revocations.stop();
      await Promise.all(tails.map((tail) => tail.stop()));
      await wake.stop();
      await Promise.all(databases.map((db) => db.close()));
      await connections.close();
      clearTimeout(tooLate);
    },
  };
}

const noGateway: RunOperation = async () => {
  throw new ApiError('UNAVAILABLE', 'This process knows of no gateway');
};

async function openDatabases(connections: Connections, positions: ReadPositions | undefined, logger: Logger) {
  const databases = await Promise.all(
    schemas.map(({ name, entities }) =>
      Database.open({ area: name, connections, positions, entities, logger }),
    ),
  );
  const database = (area: string): Database => {
    const found = databases.find((candidate) => candidate.area === area);
    if (!found) throw new Error(`${area} has no database`);
    return found;
  };
  return { databases, database };
}

function measureConnections(metrics: Metrics, connections: Connections): void {
  metrics.gauge(
    'panel_database_connections',
    'Connections of this process to the database: taken, idle, and those who wait for one.',
    ['pool', 'state'],
    () =>
      connections.stats().flatMap(({ pool, taken, idle, waiting }) =>
        Object.entries({ taken, idle, waiting }).map(([state, value]) => ({
          labels: { pool, state },
          value,
        })),
      ),
  );
  metrics.gauge('panel_database_connections_max', 'The most that a pool may have.', ['pool'], () =>
    connections.stats().map(({ pool, max: value }) => ({ labels: { pool }, value })),
  );
}
