import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

// Marks the advisory locks that mean "a process that serves clients of this panel is alive".
const presenceClass = 0x51_5a;
const patienceMs = 3_000;

/**
 * Says to other processes on the same database that this one serves clients, for as long as it lives: the lock goes
 * with the connection, and the connection with the process, however that ends.
 */
export class Presence {
  private constructor(private readonly client: pg.Client) {}

  /** With `isAlone`, fails when another process serves clients too. One that was just killed gets a moment to go. */
  static async announce(url: string, { isAlone }: { isAlone: boolean }): Promise<Presence> {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      application_name: 'panel presence',
    });
    await client.connect();
    // A lost connection only means that others no longer see this process.
    client.on('error', () => undefined);
    await client.query('select pg_advisory_lock_shared($1, 0)', [presenceClass]);
    for (const end = Date.now() + patienceMs; isAlone && (await countOthers(client)) > 0;) {
      if (Date.now() > end) {
        await client.end();
        throw new Error(
          'Another panel process serves clients from this database. More than one needs Redis, for shared rate ' +
            'limits: set REDIS_URL for all of them, or stop the other one.',
        );
      }
      await sleep(100);
    }
    return new Presence(client);
  }

  async stop(): Promise<void> {
    await this.client.end();
  }
}

async function countOthers(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from pg_locks
     where locktype = 'advisory' and classid = $1 and pid <> pg_backend_pid()
       and database = (select oid from pg_database where datname = current_database())`,
    [presenceClass],
  );
  return rows[0]?.count ?? 0;
}
