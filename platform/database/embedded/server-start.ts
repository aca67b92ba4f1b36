import { closeSync } from 'node:fs';

import type { Logger } from '../../logger.js';
import { spawnAs } from './account.js';
import type { Location } from './location.js';
import { freePort } from './port.js';
import { clearStaleLock, livePostmaster, stopPostmaster, type Postmaster } from './postmaster.js';
import { isAlive, processIdentity } from './processes.js';
import { logTail, openLog, sizeOf } from './server-log.js';
import { writeState, type ClusterState } from './state.js';
import { until } from './wait.js';

export interface ServerOptions {
  logger: Logger;
  /** Insists on a port; otherwise one is chosen at the first start and kept while it is free. */
  port?: number;
  /** Server settings for a server that this call starts; an adopted one keeps its own. */
  settings?: Record<string, string>;
}

const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // What is wrong with a statement is told to the panel, which knows what of it is secret. The log is for the server's own
  // state, and gets neither statements nor parameters nor the values in an error's details.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_duration: 'off',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_error_verbosity: 'terse',
  log_lock_waits: 'off',
};

/** One attempt to have a server on a finished cluster. Runs under the start lock. */
export class ServerStart {
  /** Whether this process is the one that stops the server. */
  isOurs = true;

  constructor(
    private readonly options: ServerOptions,
    private readonly dataDir: string,
    private readonly location: Location,
    private readonly state: ClusterState,
    private readonly postgres: string,
  ) {}

  /** The server that already runs on the cluster; undefined when there is none, or none that will stay. */
  async adopt(): Promise<Postmaster | undefined> {
    const { cluster } = this.location;
    if (!livePostmaster(cluster)) return undefined;
    this.isOurs = !isAlive(this.state.owner);
    if (this.isOurs && this.state.diesWithOwner) {
      // The kernel has told it to stop when its owner died. It may still accept connections for a moment, so make sure.
      await stopPostmaster(cluster);
      return undefined;
    }
    const server = await until(`the running PostgreSQL on ${cluster}`, 60, () => {
      const running = livePostmaster(cluster) ?? 'gone';
      return running === 'gone' || running.status === 'ready' ? running : undefined;
    });
    if (server === 'gone') {
      this.isOurs = true;
      return undefined;
    }
    if (this.isOurs) this.record({ port: server.port, diesWithOwner: false });
    return server;
  }

  /** Starts the server and waits until it is ready. */
  async launch(): Promise<Postmaster> {
    await clearStaleLock(this.location.cluster);
    const { options, state } = this;
    let port = await this.choosePort();
    for (let attempt = 1; ; attempt += 1) {
      if (state.port !== undefined && state.port !== port) {
        options.logger.warn({ was: state.port, port }, 'The port of PostgreSQL was taken: using another one');
      }
      try {
        return await this.launchOn(port);
      } catch (error) {
        // Between our look at the port and PostgreSQL's bind somebody else may take it.
        const portWasTaken = !livePostmaster(this.location.cluster) && (await freePort(port)) === undefined;
        if (!portWasTaken || options.port !== undefined || attempt === 3) throw error;
        port = await this.choosePort();
      }
    }
  }

  private async choosePort(): Promise<number> {
    const { options, state } = this;
    if (options.port !== undefined) {
      if ((await freePort(options.port)) !== undefined) return options.port;
      throw new Error(`Port ${options.port} on 127.0.0.1 is in use, so PostgreSQL can't have it.`);
    }
    const port = (state.port === undefined ? undefined : await freePort(state.port)) ?? (await freePort(0));
    if (port === undefined) throw new Error('There is no free port on 127.0.0.1 for PostgreSQL.');
    return port;
  }

  private async launchOn(port: number): Promise<Postmaster> {
    const { cluster, log, account } = this.location;
    const settings = Object.entries({ ...defaults, ...this.options.settings });
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [this.postgres, '-D', cluster, '-p', String(port), ...flags] as const;
    const logStart = sizeOf(log);
    const output = openLog(log);
    const { child, diesWithUs } = spawnAs(account, 'INT', command, ['ignore', output, output]);
    closeSync(output);
    this.record({ port, diesWithOwner: diesWithUs });
    // A server must not keep the process alive: whoever forgets stop() would hang at exit.
    child.unref();
    let end: string | undefined;
    child.once('error', (error) => (end = error.message));
    child.once('exit', (code, signal) => {
      end = `it ended with ${signal ?? `code ${code}`}`;
    });
    try {
      // Crash recovery comes before "ready", hence the long wait.
      const ready = await until('PostgreSQL to become ready', 120, () => {
        if (end !== undefined) throw new Error(`PostgreSQL did not start: ${end}`);
        const server = livePostmaster(cluster);
        return server?.pid === child.pid && server?.status === 'ready' ? server : undefined;
      });
      child.once('exit', (code, signal) => {
        if (code !== 0) this.options.logger.error({ code, signal, log: logTail(log) }, 'PostgreSQL has died');
      });
      return ready;
    } catch (error) {
      child.kill('SIGINT');
      const from = sizeOf(log) < logStart ? 0 : logStart;
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logTail(log, from)}`, {
        cause: error,
      });
    }
  }

  private record(change: Pick<ClusterState, 'port' | 'diesWithOwner'>): void {
    Object.assign(this.state, change, { owner: processIdentity(process.pid) });
    writeState(this.dataDir, this.state);
  }
}
