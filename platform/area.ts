// Before any decorator of an area runs: an area's description is what loads its classes.
import 'reflect-metadata';
import type { Router } from 'express';

import type { PermissionTable } from './auth/permissions.js';
import type { RevocationSource } from './auth/revocation-feed.job.js';
import type { ServiceClient } from './auth/service-client.js';
import type { KeySource, TokenVerifier } from './auth/tokens.js';
import type { Clock } from './clock.js';
import type { Database, EntityClass } from './database/database.js';
import type { AreaMigration } from './database/migrate.js';
import type { EnvSource } from './env.js';
import type { ErasureOptions } from './erasure/erasure.job.js';
import type { InputRules } from './input-rules.js';
import type { JobDefinition } from './jobs/job.js';
import type { Logger } from './logger.js';
import type { Sweep } from './membership/sweep.js';
import type { Metrics } from './metrics.js';
import type { Consumer } from './outbox/consumer.js';
import type { EventStreams } from './outbox/event-stream.js';
import type { OutboxTail } from './outbox/tail.js';
import type { Keyring } from './secrets/keyring.js';
import type { SealedColumn } from './secrets/sealed-column.js';
import type { Subgraph } from './subgraph/subgraph.js';

/**
 * All that a process has to know of an area, told once: `subgraphs/<name>/area.ts` exports it, and a line in
 * `panel/areas.ts` takes it in.
 */
export interface Area<Name extends string = string, Settings = unknown> {
  /** Lower-case letters: its PostgreSQL schema, the stem of its roles, its subgraph, and `<NAME>_URL` in split mode. */
  readonly name: Name;
  readonly entities: readonly EntityClass[];
  /** Step by step; steps that were applied are never edited. The first has what `areaTablesSql` answers. */
  readonly migrations: readonly AreaMigration[];
  /** What a rotation of SECRETS_KEY has to seal anew. */
  readonly sealedColumns?: readonly SealedColumn[];
  /** Everything that it lets anyone do, and who may. */
  readonly permissions: PermissionTable;
  /** Rules of its input types, by the types' names. */
  readonly inputRules?: InputRules;
  /** Paths of its routes that are not GraphQL: gateways of split mode hand them on. */
  readonly forwardedPaths?: readonly string[];
  /** The same for its webhooks. */
  readonly webhookPaths?: readonly string[];
  /** How tenants are erased from it, where that is not by deleting the rows of every table. */
  readonly erasure?: ErasureOptions;
  /** Reads its settings from environment variables; throws one EnvError for all that is wrong. */
  settings(source: EnvSource): Settings;
  /** Tokens that are good no more because of its facts. Asked in every process, whichever areas that runs. */
  revocations?(facts: AreaFacts): readonly RevocationSource[];
  /** Wires it by hand. Reads and writes nothing yet. */
  create(context: AreaContext<Settings>): RunningArea;
}

/** An area's rows and events, wherever it runs. */
export interface AreaFacts {
  database: Database;
  /** Its events as they are committed, by whichever process. */
  tail: OutboxTail;
}

/** What an area is given by the process that runs it. */
export interface AreaContext<Settings> extends AreaFacts {
  settings: Settings;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** The panel's public address, which is the issuer of its tokens. */
  publicUrl: string;
  /** Where its subscriptions come from. */
  streams: EventStreams;
  verifier: TokenVerifier;
  /** Asks other areas, by operations through the gateway, as a service that holds these permissions and no others. */
  asService: (permissions: readonly string[]) => ServiceClient;
  /** Whether gateways are processes of their own, by which alone the area is reached. */
  isBehindGateways: boolean;
  /** Of the whole panel, this area included. */
  panel: {
    /** All that keep something of tenants. */
    areas: readonly string[];
    /** The permissions of all areas. */
    permissions: PermissionTable;
  };
}

/** An area in a process that runs it. */
export interface RunningArea {
  build(): Promise<Subgraph>;
  /** What it does about facts, its own and other areas'. */
  consumers?: readonly Consumer[];
  /** Background steps, for the lease holder to run. */
  sweeps?: readonly Sweep[];
  /** Work that outlives its request, for every process to take. */
  jobs?: readonly JobDefinition[];
  /** Routes that are not GraphQL. */
  routers?: readonly Router[];
  /** Routes that outside services call, in bursts: whoever is refused pays by address, and nobody else. */
  webhooks?: readonly Router[];
  /** Begins whatever it does by itself. The events of all areas are followed by then. */
  start?(): Promise<void>;
  /** What does not keep the process from serving, and is told where it says that it is ready. */
  warnings?(): readonly string[];
  /** Once no request is under way: waits for what goes on after answers. The database outlives it. */
  stop?(): Promise<void>;
  /** Of the one area that signs user tokens: its public keys. */
  userKeys?: KeySource;
  /** Of the same area: makes the first administrator that the settings name, or answers the link by which to make one. */
  setupLink?(): Promise<string | undefined>;
}

/** Types a description by what it says: the name as it is, and settings as `settings` answers them. */
export function defineArea<const Name extends string, Settings>(
  area: Area<Name, Settings>,
): Area<Name, Settings> {
  return area;
}
