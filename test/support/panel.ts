import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { inject } from 'vitest';

import type { Gateway } from '#gateway/gateway.js';
import { areaNames, type AreaName } from '#panel/areas.js';
import { startPanel } from '#panel/panel.js';
import type { PanelOptions } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { startGateway, startSubgraph, type RunningProcess } from '#panel/split.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from './clock.js';
import { templateDatabase } from './postgres.js';
import { World } from './world.js';

export interface TestDatabase {
  /** The application's URL, as panel_app, over the server's socket. */
  url: string;
  /** The superuser's URL. */
  ownerUrl: string;
  name: string;
  drop(): Promise<void>;
}

/** A database of its own for a test file, cloned from the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { ownerUrl, password, socketDir } = inject('postgres');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  // Its files are copied as they are: by way of the log, as PostgreSQL does it unless told, it takes several times as long.
  await asOwner(ownerUrl, (client) =>
    client.query(`create database ${name} template ${templateDatabase} strategy file_copy`),
  );
  const owner = new URL(ownerUrl);
  owner.pathname = `/${name}`;
  const app = new URL(owner);
  app.username = 'panel_app';
  app.password = password;
  app.hostname = encodeURIComponent(socketDir);
  return {
    name,
    url: app.href,
    ownerUrl: owner.href,
    drop: async () => {
      await asOwner(ownerUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/**
 * Of the server, in no test's database. Making and dropping databases locks nothing that tells where it is done, and the
 * events of all of them would wait for it.
 */
async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(pg_backend_pid())');
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A whole panel on a database of its own, with a clock that only the test moves. */
export interface TestPanel extends AsyncDisposable {
  panel: {
    url: string;
    gateway: Gateway;
    setupLink?: string | undefined;
    metricsUrl?: string | undefined;
    /** In split mode, of the subgraphs' processes. */
    subgraphs?: Record<AreaName, RunningProcess>;
    stop(): Promise<void>;
  };
  database: TestDatabase;
  clock: TestClock;
  world: World;
  /** Runs SQL as the superuser, past every policy. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Starts an identical panel on the same database, as on another machine. */
  another(settings?: Record<string, string>): Promise<TestPanel['panel']>;
  stop(): Promise<void>;
}

async function startSplit(options: PanelOptions): Promise<TestPanel['panel']> {
  const publicUrl = options.panel.PUBLIC_URL ?? '';
  // Subgraphs know identity only, which comes first.
  const addresses = Object.fromEntries(areaNames.map((name) => [name, 'http://127.0.0.1:1'])) as Record<
    AreaName,
    string
  >;
  const split = { publicUrl, addresses, gatewayUrl: 'http://127.0.0.1:1' };
  const started: [AreaName, RunningProcess][] = [];
  let setupLink: string | undefined;
  for (const name of areaNames) {
    const subgraph = await startSubgraph(name, { ...options, split });
    addresses[name] = subgraph.url;
    setupLink ??= subgraph.setupLink;
    started.push([name, subgraph]);
  }
  const gateway = await startGateway({ ...options, split });
  split.gatewayUrl = gateway.url;
  return {
    ...gateway,
    setupLink,
    subgraphs: Object.fromEntries(started) as Record<AreaName, RunningProcess>,
    stop: async () => {
      await gateway.stop();
      for (const [, subgraph] of started.toReversed()) await subgraph.stop();
    },
  };
}

export const testSecretsKey = Buffer.alloc(32, 7).toString('base64');

export const testAdministrator = { email: 'admin@panel.test', password: 'administrator-password' };

/** One process for everything, or the subgraphs and the gateway each behind an address of its own. */
export type Mode = 'in process' | 'split';
export const modes: readonly Mode[] = ['in process', 'split'];

// Each grant has a version of its own, and every area keeps the newest that it knows.
const knowsGrants = `
  select count(*) in (0, 4) and count(distinct version) <= 1 as "isKnown" from (
    select version from identity.entitlement where tenant_id = $1
    union all select version from fleet.entitlement where tenant_id = $1
    union all select version from billing.entitlement where tenant_id = $1
    union all select version from governance.entitlement where tenant_id = $1) known`;

/**
 * Starts a panel for a test file, on a new database unless one is given. `settings` are environment variables on top of
 * the defaults.
 */
export async function startTestPanel(
  settings: Record<string, string> = {},
  mode: Mode = 'in process',
  given?: TestDatabase,
): Promise<TestPanel> {
  const database = given ?? (await createTestDatabase());
  const clock = new TestClock();
  const optionsWith = (more: Record<string, string>) => ({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
      // Each one is a process of PostgreSQL's; most test panels serve one client.
      DATABASE_CONNECTIONS: '6',
      DRAIN_SECONDS: '0',
      PORT: '0',
      HOST: '127.0.0.1',
      RATE_LIMIT_PER_MINUTE: '1000000',
      // Nobody listens there: tests of hosting have a stand-in of their own.
      HETZNER_API_BASE: 'http://127.0.0.1:9/v1',
      DIGITALOCEAN_API_BASE: 'http://127.0.0.1:9/v2',
      PUBLIC_URL: 'http://panel.test',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
      ...settings,
      ...more,
    }),
    logger: silentLogger,
    clock,
  });
  const options = optionsWith({});
  const panel = await (mode === 'split' ? startSplit(options) : startPanel(options));
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
  // Dropping the database with force ends idle connections of the pool, which is not a failure.
  owner.on('error', () => undefined);
  const others: TestPanel['panel'][] = [];
  const stop = async () => {
    await Promise.all([panel, ...others].map((process) => process.stop()));
    await owner.end();
    await database.drop();
  };
  return {
    panel,
    database,
    clock,
    world: new World(panel.url, clock, async (tenantId) => {
      const { rows } = await owner.query<{ isKnown: boolean }>(knowsGrants, [tenantId]);
      return rows[0]!.isKnown;
    }),
    sql: async (text, values) => (await owner.query(text, values)).rows,
    another: async (more = {}) => {
      const started = await startPanel(optionsWith(more));
      others.push(started);
      return started;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
