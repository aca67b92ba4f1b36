import type { Router } from 'express';

import { RevocationFeed } from '#platform/auth/revocation-feed.job.js';
import { TokenVerifier, type KeySource } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import { Connections } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';
import { Metrics } from '#platform/metrics.js';
import { EventStreams } from '#platform/outbox/event-stream.js';
import { OutboxTail } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { FleetEnv } from '#subgraphs/fleet/env.js';
import { createFleet } from '#subgraphs/fleet/subgraph.js';
import type { IdentityEnv } from '#subgraphs/identity/env.js';
import { createIdentity, type Identity } from '#subgraphs/identity/subgraph.js';

import { areas } from './areas.js';
import { Background, type BackgroundWork } from './background.js';
import { allPermissions } from './permissions.js';
import {
  apiKeyRevocations,
  credentialRevocations,
  delegationRevocations,
  sessionRevocations,
  suspensions,
} from './revocations.js';

export const subgraphNames = ['identity', 'fleet'] as const;
export type SubgraphName = (typeof subgraphNames)[number];

export interface SubgraphsOptions {
  /** Which of them this process runs. */
  names: readonly SubgraphName[];
  databaseUrl: string;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  nodeName: string;
  fleet: FleetEnv;
  identity: IdentityEnv;
  metrics?: Metrics;
  /** Finds the public keys of user tokens where identity runs in another process. */
  userKeys?: KeySource;
  /** Whether the gateways are processes of their own. */
  isBehindGateways?: boolean;
}

/** The subgraphs of this process, wired together. */
export interface Subgraphs {
  all: readonly Subgraph[];
  /** Absent where identity runs in another process. */
  identity: Identity | undefined;
  verifier: TokenVerifier;
  /** Routes that are not GraphQL. */
  routers: readonly Router[];
  /** Starts what reads and writes by itself: keys, event tails, background steps. */
  start(): Promise<void>;
  /** What keeps the subgraphs from serving; empty when they can. */
  problems(): Promise<string[]>;
  /** Gives the leases up and does no more by itself; requests and subscriptions go on. */
  stopBackground(): Promise<void>;
  /** Once no request is under way any more. */
  stop(): Promise<void>;
}

// As long as jobs under way may go on.
const stopWithinMs = 10_000;

export async function createSubgraphs(options: SubgraphsOptions): Promise<Subgraphs> {
  const { names, clock, logger, keyring, publicUrl, nodeName, metrics = new Metrics() } = options;
  if (!options.identity.SMTP_URL && !options.identity.MAIL_LOG) {
    logger.warn(
      'SMTP_URL is not set: no mail is sent, so nobody can confirm an address, reset a password or take an invitation. ' +
        'MAIL_LOG=true prints mails here instead, with their one-time links',
    );
  }
  const connections = new Connections(options.databaseUrl);
  measureConnections(metrics, connections);
  const { databases, database } = await openDatabases(connections, logger);
  const wake = new OutboxWake(connections, logger);
  // These two are followed everywhere: their events say which tokens are good no more.
  const followed: readonly SubgraphName[] = [...new Set<SubgraphName>([...names, 'identity', 'fleet'])];
  const tails = new Map(followed.map((name) => [name, new OutboxTail(database(name), wake, logger)]));
  const streams = (name: SubgraphName) => {
    const tail = tails.get(name);
    return tail && new EventStreams(database(name), tail);
  };

  const identity = names.includes('identity')
    ? createIdentity({
        database: database('identity'),
        keyring,
        clock,
        logger,
        publicUrl,
        areas: subgraphNames,
        permissions: allPermissions,
        streams: streams('identity'),
        metrics,
        env: options.identity,
      })
    : undefined;
  const userKeys = identity ? (kid: string) => identity.findPublicKey(kid) : options.userKeys;
  if (!userKeys)
    throw new Error('a process without identity needs to know where the keys of user tokens are');
  const revocations = new RevocationFeed(
    [
      sessionRevocations(database('identity'), tails.get('identity')!),
      suspensions(database('identity'), tails.get('identity')!),
      apiKeyRevocations(database('identity'), tails.get('identity')!),
      delegationRevocations(database('identity'), tails.get('identity')!),
      credentialRevocations(database('fleet'), tails.get('fleet')!),
    ],
    clock,
    logger,
  );
  const verifier = new TokenVerifier({ issuer: publicUrl, keyring, userKeys, clock, revocations });
  const fleet = names.includes('fleet')
    ? createFleet({
        database: database('fleet'),
        keyring,
        clock,
        publicUrl,
        streams: streams('fleet'),
        tail: tails.get('fleet')!,
        logger,
        metrics,
        env: options.fleet,
        isBehindGateways: options.isBehindGateways ?? false,
      })
    : undefined;

  const work: BackgroundWork[] = [];
  if (identity) work.push({ database: database('identity'), ...identity });
  if (fleet) work.push({ database: database('fleet'), ...fleet });
  const background = new Background({
    connections,
    platform: database('platform'),
    areas: work,
    sources: databases.filter(({ area }) => area !== 'platform'),
    wake,
    nodeName,
    clock,
    logger,
    metrics,
  });
  const all: Subgraph[] = [];
  if (identity) all.push(await identity.build(verifier));
  if (fleet) all.push(await fleet.build(verifier));

  return {
    all,
    identity,
    verifier,
    routers: [...(identity?.routers ?? []), ...(fleet?.routers ?? [])],
    start: async () => {
      await identity?.start();
      await wake.start();
      await Promise.all([...tails.values()].map((tail) => tail.start()));
      await revocations.start();
      await fleet?.start();
      await background.start();
    },
    problems: async () => {
      const problem = await connections.problem();
      return problem === undefined ? [] : [problem];
    },
    stopBackground: () => background.stop(),
    stop: async () => {
      // A step that waits for a database that is gone must not keep the process.
      const tooLate = setTimeout(() => connections.cut(), stopWithinMs);
      await fleet?.stop();
      await revocations.stop();
      await Promise.all([...tails.values()].map((tail) => tail.stop()));
      await wake.stop();
      await identity?.stop();
      await Promise.all(databases.map((db) => db.close()));
      await connections.close();
      clearTimeout(tooLate);
    },
  };
}

async function openDatabases(connections: Connections, logger: Logger) {
  const databases = await Promise.all(
    areas.map(({ name, entities }) => Database.open({ area: name, connections, entities, logger })),
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
