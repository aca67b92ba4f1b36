import { TokenVerifier, type KeySource } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';
import { EventStreams } from '#platform/outbox/event-stream.js';
import { OutboxTail } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { FleetEnv } from '#subgraphs/fleet/env.js';
import { createFleet } from '#subgraphs/fleet/subgraph.js';
import { createIdentity, type Identity } from '#subgraphs/identity/subgraph.js';

import { areas } from './areas.js';
import { Background } from './background.js';

export interface SubgraphsOptions {
  databaseUrl: string;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  nodeName: string;
  fleet: FleetEnv;
}

/** All subgraphs of a one-process panel, wired together. */
export interface Subgraphs {
  all: readonly Subgraph[];
  identity: Identity;
  verifier: TokenVerifier;
  /** Starts what reads and writes by itself: keys, event tails, background steps. */
  start(): Promise<void>;
  /** What keeps the subgraphs from serving; empty when they can. */
  problems(): Promise<string[]>;
  stop(): Promise<void>;
}

// Each subgraph has its own pool; a process's share of PostgreSQL's connections is their sum.
const poolSize = 10;

export async function createSubgraphs(options: SubgraphsOptions): Promise<Subgraphs> {
  const { clock, logger, keyring, publicUrl, nodeName } = options;
  const databases = await openDatabases(options.databaseUrl, logger);
  const database = (area: string): Database => {
    const found = databases.find((candidate) => candidate.area === area);
    if (!found) throw new Error(`${area} has no database`);
    return found;
  };
  const wake = new OutboxWake(options.databaseUrl, logger);
  const tails = new Map(areas.map(({ name }) => [name, new OutboxTail(database(name), wake, logger)]));
  tails.delete('platform');
  const streams = (area: string) => {
    const tail = tails.get(area);
    return tail && new EventStreams(database(area), tail);
  };

  const identity = createIdentity({ database: database('identity'), keyring, clock, logger, publicUrl });
  const userKeys: KeySource = (kid) => identity.findPublicKey(kid);
  const verifier = new TokenVerifier({ issuer: publicUrl, keyring, userKeys, clock });
  const fleet = createFleet({
    database: database('fleet'),
    keyring,
    clock,
    publicUrl,
    streams: streams('fleet'),
    env: options.fleet,
  });
  const background = new Background({
    platform: database('platform'),
    areas: [
      { database: database('identity'), ...identity },
      { database: database('fleet'), ...fleet },
    ],
    sources: databases.filter(({ area }) => area !== 'platform'),
    wake,
    nodeName,
    clock,
    logger,
  });

  return {
    all: await Promise.all([identity.build(verifier), fleet.build(verifier)]),
    identity,
    verifier,
    start: async () => {
      await identity.start();
      await wake.start();
      await Promise.all([...tails.values()].map((tail) => tail.start()));
      await background.start();
    },
    problems: async () => {
      const answers = await Promise.all(
        databases.map(async (db) => ((await db.isReady()) ? [] : [`the database of ${db.area} does not answer`])),
      );
      return answers.flat();
    },
    stop: async () => {
      await background.stop();
      await Promise.all([...tails.values()].map((tail) => tail.stop()));
      await wake.stop();
      await Promise.all(databases.map((db) => db.close()));
    },
  };
}

async function openDatabases(url: string, logger: Logger): Promise<Database[]> {
  return Promise.all(
    areas.map(({ name, entities }) => Database.open({ area: name, url, entities, poolSize, logger })),
  );
}
