import { setTimeout as sleep } from 'node:timers/promises';

import { StandingConnection } from '../database/standing-connection.js';
import { OperatorError } from '../errors.js';
import type { Logger } from '../logger.js';

// Marks the advisory locks that mean "a process that serves clients of this panel is alive"; the second half of the
// key says whether it shares its rate limits.
const presenceClass = 0x51_5a;
const alone = 0;
const sharing = 1;
const patienceMs = 3_000;

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
  private readonly connection: StandingConnection;

  private constructor(private readonly options: PresenceOptions) {
    this.connection = new StandingConnection(options.url, 'panel presence');
  }

  /** Fails when this process or one that is there already does not share. One just killed gets a moment to go. */
  static async announce(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options);
    try {
      await presence.begin();
      for (const end = Date.now() + patienceMs; await presence.isUnwelcome();) {
        if (Date.now() > end) {
          throw new OperatorError(
            'Another panel process serves clients from this database. More than one needs Redis, for shared rate ' +
              'limits: set REDIS_URL for all of them, or stop the other one.',
          );
        }
        await sleep(100);
      }
      return presence;
    } catch (error) {
      await presence.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.connection.stop();
  }

  /** Whenever the connection is lost, others cannot see this process until it is back; it serves on meanwhile. */
  private async begin(): Promise<void> {
    const key = [presenceClass, this.options.isSharing ? sharing : alone];
    await this.connection.take({
      begin: async (client) => client.query('select pg_advisory_lock_shared($1, $2)', key),
      end: async (client) => client.query('select pg_advisory_unlock_shared($1, $2)', key),
      lost: (error) =>
        this.options.logger.warn({ err: error }, 'the connection that announces this process was lost'),
    });
  }

  private async isUnwelcome(): Promise<boolean> {
    const [row] = await this.connection.query<{ isThere: boolean }>(
      `select exists (
         select from pg_locks
         where locktype = 'advisory' and classid = $1 and pid <> pg_backend_pid() and ($2 or objid = $3)
           and database = (select oid from pg_database where datname = current_database())
       ) as "isThere"`,
      [presenceClass, !this.options.isSharing, alone],
    );
    return row?.isThere ?? false;
  }
}
