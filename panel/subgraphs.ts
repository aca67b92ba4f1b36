import { TokenVerifier, type KeySource } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { FleetEnv } from '#subgraphs/fleet/env.js';
import { createFleet } from '#subgraphs/fleet/subgraph.js';
import { createIdentity, type Identity } from '#subgraphs/identity/subgraph.js';

import { areas } from './areas.js';

export interface SubgraphsOptions {
  databaseUrl: string;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  fleet: FleetEnv;
}

/** All subgraphs of a one-process panel, wired together. */
export interface Subgraphs {
  all: readonly Subgraph[];
  identity: Identity;
  verifier: TokenVerifier;
  /** What keeps the subgraphs from serving; empty when they can. */
  problems(): Promise<string[]>;
  stop(): Promise<void>;
}

// Each subgraph has its own pool; a process's share of PostgreSQL's connections is their sum.
const poolSize = 10;

export async function createSubgraphs(options: SubgraphsOptions): Promise<Subgraphs> {
  const { clock, logger, keyring, publicUrl } = options;
  const databases = await openDatabases(options.databaseUrl, logger);
  const database = (area: string): Database => {
    const found = databases.find((candidate) => candidate.area === area);
    if (!found) throw new Error(`${area} has no database`);
    return found;
  };

  const identity = createIdentity({ database: database('identity'), keyring, clock, logger, publicUrl });
  const userKeys: KeySource = (kid) => identity.findPublicKey(kid);
  const verifier = new TokenVerifier({ issuer: publicUrl, keyring, userKeys, clock });
  const fleet = createFleet({ database: database('fleet'), keyring, clock, publicUrl, env: options.fleet });

  return {
    all: await Promise.all([identity.build(verifier), fleet.build(verifier)]),
    identity,
    verifier,
    problems: async () => {
      const answers = await Promise.all(
        databases.map(async (db) =>
          (await db.isReady()) ? [] : [`the database of ${db.area} does not answer`],
        ),
      );
      return answers.flat();
    },
    stop: async () => {
      await Promise.all(databases.map((db) => db.close()));
    },
  };
}

async function openDatabases(url: string, logger: Logger): Promise<Database[]> {
  return Promise.all(
    areas.map(({ name, entities }) => Database.open({ area: name, url, entities, poolSize, logger })),
  );
}
