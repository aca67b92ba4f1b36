import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';

import pg from 'pg';

import { findBinaries } from './embedded/binaries.js';
import { inspectCluster, makeCluster, removeMarker } from './embedded/cluster.js';
import { locate, makePassable } from './embedded/location.js';
import { stopPostmaster } from './embedded/postmaster.js';
import { RunningServer, urlOf } from './embedded/running-server.js';
import { ServerStart, type ServerOptions } from './embedded/server-start.js';
import { withStartLock } from './embedded/start-lock.js';
import { readState, writeState } from './embedded/state.js';

export interface EmbeddedPostgresOptions extends ServerOptions {
  /** The panel's DATA_DIR. Made when absent. */
  dataDir: string;
}

export type { RunningServer as EmbeddedPostgres } from './embedded/running-server.js';

/** Whether an earlier start has made a cluster in `dataDir`. */
export function hasEmbeddedCluster(dataDir: string): boolean {
  return existsSync(dataDir) && readState(dataDir).cluster !== undefined;
}

/** Starts the PostgreSQL of the npm package on a cluster in `dataDir`, or adopts the one that already runs on it. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<RunningServer> {
  if (process.platform === 'win32') {
    throw new Error(
      'The embedded PostgreSQL needs Linux or macOS. Set DATABASE_URL to a server of your own.',
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
      { outcome, port: server.port, postgresPid: server.pid, cluster: location.cluster },
      'PostgreSQL is ready',
    );
    const place = { options, dataDir, location, password: state.password, postgres: binaries.postgres };
    return new RunningServer(place, server, outcome, start.isOurs);
  });
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
