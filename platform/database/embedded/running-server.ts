import type { OperatorError } from '../../errors.js';
import { superuser } from './cluster.js';
import type { Location } from './location.js';
import { livePostmaster, stopPostmaster, type Postmaster } from './postmaster.js';
import { logTail } from './server-log.js';
import { ServerStart, type ServerOptions } from './server-start.js';
import { withStartLock } from './start-lock.js';
import { readState } from './state.js';
import { restartPolicy, Supervisor, type RestartPolicy } from './supervisor.js';

export type Outcome = 'initialised' | 'started' | 'adopted';

/** Where the server is and how another one is started in its place. */
export interface ServerPlace {
  options: ServerOptions;
  dataDir: string;
  location: Location;
  password: string;
  /** The program. */
  postgres: string;
}

/** A server on a cluster in DATA_DIR. */
export class RunningServer {
  readonly port: number;
  private supervisor: Supervisor | undefined;

  constructor(
    private readonly place: ServerPlace,
    private server: Postmaster,
    /** adopted: the server was running already, left by a process that was killed or in use by one that lives. */
    readonly outcome: Outcome,
    /** Whether this process is the one that stops it. */
    private isOurs: boolean,
  ) {
    this.port = server.port;
  }

  /** Connection URL of the superuser who owns everything. The database is not made by asking for it. */
  url(database: string): string {
    return urlOf(this.port, this.place.password, database);
  }

  /** Of the server, while it runs. */
  pid(): number | undefined {
    return livePostmaster(this.place.location.cluster)?.pid;
  }

  /**
   * Starts the server again whenever it ends before `stop`, at the same address and with the same password. The answer
   * resolves, with words for the operator, when that is of no use any more.
   */
  supervise(policy: RestartPolicy = restartPolicy): Promise<OperatorError> {
    this.supervisor ??= new Supervisor({
      url: this.url('postgres'),
      isAlive: () => this.pid() !== undefined,
      restart: () => this.restart(),
      policy,
      logger: this.place.options.logger,
    });
    return this.supervisor.failed;
  }

  /**
   * Fast shutdown, and after four seconds one without a checkpoint, which costs the next start a recovery. Does nothing
   * when another living process started the server: it is that one's to stop.
   */
  async stop(): Promise<void> {
    this.supervisor?.stop();
    if (!this.isOurs) return;
    const { dataDir, location, options } = this.place;
    await withStartLock(dataDir, async () => {
      // Another process may have started a server of its own after ours had died.
      if (this.pid() !== this.server.pid) return;
      try {
        await stopPostmaster(location.cluster, { patience: 'short' });
      } catch (error) {
        throw new Error(`PostgreSQL did not stop\n${logTail(location.log)}`, { cause: error });
      }
      options.logger.info({ postgresPid: this.server.pid }, 'PostgreSQL has stopped');
    });
  }

  private async restart(): Promise<void> {
    const { dataDir, location, options, postgres } = this.place;
    await withStartLock(dataDir, async () => {
      // Another process on the same cluster may have been quicker.
      if (this.pid() !== undefined) return;
      // On its port and no other: the pools know no other.
      const insisting = { ...options, port: this.port };
      const start = new ServerStart(insisting, dataDir, location, readState(dataDir), postgres);
      this.server = await start.launch();
      this.isOurs = true;
      options.logger.warn({ port: this.port, postgresPid: this.server.pid }, 'PostgreSQL is back');
    });
  }
}

export function urlOf(port: number, password: string, database: string): string {
  return `postgresql://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}
