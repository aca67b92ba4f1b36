import { mkdirSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';

import pg from 'pg';

import type { Logger } from '../logger.js';
import { findBinaries } from './embedded/binaries.js';
import { inspectCluster, makeCluster, removeMarker, superuser } from './embedded/cluster.js';
import { locate, makePassable, type Location } from './embedded/location.js';
import { livePostmaster, stopPostmaster, type Postmaster } from './embedded/postmaster.js';
import { logTail } from './embedded/server-log.js';
import { ServerStart, type ServerOptions } from './embedded/server-start.js';
import { withStartLock } from './embedded/start-lock.js';
import { readState, writeState } from './embedded/state.js';

export interface EmbeddedPostgresOptions extends ServerOptions {
  /** The panel's DATA_DIR. Made when absent. */
  dataDir: string;
}

export interface EmbeddedPostgres {
  /** Connection URL of the superuser who owns everything. The database is not made by asking for it. */
  url(database: string): string;
  readonly port: number;
  /** adopted: the server was running already, left by a process that was killed or in use by one that lives. */
  readonly outcome: 'initialised' | 'started' | 'adopted';
  /** Fast shutdown. Does nothing when another living process started the server: it is that one's to stop. */
  stop(): Promise<void>;
  /** Of the server, while it runs. */
  pid(): number | undefined;
}

/** Starts the PostgreSQL of the npm package on a cluster in `dataDir`, or adopts the one that already runs on it. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') {
    throw new Error(
      'The embedded PostgreSQL needs Linux or macOS. Set DATABASE_OWNER_URL to a server of your own.',
    );
  }
  const { logger } = options;
  if (process.getuid?.() === 0) makePassable(resolve(options.dataDir));
  else mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(options.dataDir);

  return withStartLock(dataDir, async () => {
    const state = readState(dataDir);
    const location = locate(dataDir, state, logger);
    const found = inspectCluster(location, state);
    const binaries = findBinaries(location.account, logger);
    if (found === 'absent') {
      logger.info({ cluster: location.cluster }, 'Making a new PostgreSQL cluster');
      writeState(dataDir, state);
      await makeCluster(location, binaries.initdb, state.password, options.settings?.['fsync'] !== 'off');
      const inside = relative(dataDir, location.cluster);
      state.cluster = inside.startsWith('..') || isAbsolute(inside) ? location.cluster : inside;
      writeState(dataDir, state);
      removeMarker(location);
    }

    const start = new ServerStart(options, dataDir, location, state, binaries.postgres);
    const adopted = found === 'finished' ? await start.adopt() : undefined;
    const server = adopted ?? (await start.launch());
    const outcome = adopted ? 'adopted' : found === 'absent' ? 'initialised' : 'started';
    try {
      await checkLogin(server.port, state.password, dataDir);
    } catch (error) {
      if (!adopted) await stopPostmaster(location.cluster);
      throw error;
    }
    logger.info(
      { outcome, port: server.port, pid: server.pid, cluster: location.cluster },
      'PostgreSQL is ready',
    );
    return handle(server, outcome, dataDir, location, start.isOurs, state.password, logger);
  });
}

function handle(
  server: Postmaster,
  outcome: EmbeddedPostgres['outcome'],
  dataDir: string,
  { cluster, log }: Location,
  isOurs: boolean,
  password: string,
  logger: Logger,
): EmbeddedPostgres {
  return {
    url: (database) => urlOf(server.port, password, database),
    port: server.port,
    outcome,
    pid: () => livePostmaster(cluster)?.pid,
    async stop() {
      if (!isOurs) return;
      await withStartLock(dataDir, async () => {
        // Another process may have started a server of its own after ours had died.
        if (livePostmaster(cluster)?.pid !== server.pid) return;
        try {
          await stopPostmaster(cluster);
        } catch (error) {
          throw new Error(`PostgreSQL did not stop\n${logTail(log)}`, { cause: error });
        }
        logger.info({ pid: server.pid }, 'PostgreSQL has stopped');
      });
    },
  };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

async function checkLogin(port: number, password: string, dataDir: string): Promise<void> {
  const client = new pg.Client({
    connectionString: urlOf(port, password, 'postgres'),
    connectionTimeoutMillis: 30_000,
  });
  try {
    await client.connect();
  } catch (error) {
    throw new Error(`PostgreSQL on port ${port} refuses the login kept in ${dataDir}/postgres.json.`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => {});
  }
}
