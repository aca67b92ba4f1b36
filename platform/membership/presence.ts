import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { OperatorError } from '../errors.js';
import type { Logger } from '../logger.js';

// Marks the advisory locks that mean "a process that serves clients of this panel is alive"; the second half of the
// key says whether it shares its rate limits.
const presenceClass = 0x51_5a;
const alone = 0;
const sharing = 1;
const patienceMs = 3_000;
const reconnectMs = 1_000;

export interface PresenceOptions {
  url: string;
  /** Whether this process shares rate limits through Redis. Only processes that do may be several. */
  isSharing: boolean;
  logger: Logger;
}

/**
 * Says to other processes on the same database that this one serves clients, for as long as it lives: the lock goes
 * with the connection, and the connection with the process, however that ends.
 */
export class Presence {
  private client: pg.Client | undefined;
  private isStopped = false;

  private constructor(private readonly options: PresenceOptions) {}

  /** Fails when this process or one that is there already does not share. One just killed gets a moment to go. */
  static async announce(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options);
    const client = await presence.connect();
    for (const end = Date.now() + patienceMs; await presence.isUnwelcome(client);) {
      if (Date.now() > end) {
        await presence.stop();
        throw new OperatorError(
          'Another panel process serves clients from this database. More than one needs Redis, for shared rate ' +
            'limits: set REDIS_URL for all of them, or stop the other one.',
        );
      }
      await sleep(100);
    }
    return presence;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.options.url,
      keepAlive: true,
      application_name: 'panel presence',
    });
    this.client = client;
    client.on('error', () => this.reconnect(client));
    client.on('end', () => this.reconnect(client));
    await client.connect();
    await client.query('select pg_advisory_lock_shared($1, $2)', [
      presenceClass,
      this.options.isSharing ? sharing : alone,
    ]);
    return client;
  }

  /** Until it is back, others cannot see this process; it serves on, as it was there first. */
  private reconnect(client: pg.Client): void {
    if (this.isStopped || this.client !== client) return;
    this.client = undefined;
    client.end().catch(() => undefined);
    setTimeout(() => {
      if (this.isStopped) return;
      this.connect().catch((error: unknown) => {
        this.options.logger.warn({ err: error }, 'the connection that announces this process was lost');
        if (this.client) this.reconnect(this.client);
      });
    }, reconnectMs).unref();
  }

  private async isUnwelcome(client: pg.Client): Promise<boolean> {
    const { rows } = await client.query<{ isThere: boolean }>(
      `select exists (
         select from pg_locks
         where locktype = 'advisory' and classid = $1 and pid <> pg_backend_pid() and ($2 or objid = $3)
           and database = (select oid from pg_database where datname = current_database())
       ) as "isThere"`,
      [presenceClass, !this.options.isSharing, alone],
    );
    return rows[0]?.isThere ?? false;
  }
}
