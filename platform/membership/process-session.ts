import { randomUUID } from 'node:crypto';

import type { Connections } from '../database/connections.js';
import { waits } from '../database/patience.js';
import type { Duty } from '../database/standing-connection.js';
import type { Logger } from '../logger.js';

// Marks the advisory locks that mean "the process of this id is alive".
const aliveClass = 0x51_5b;
// As long as the first attempt at a new connection may take after one was lost, and a busy process takes longer.
export const othersBackWithinMs = waits.reconnect + waits.connect + 2_000;

/** True in SQL of a process id whose process holds its session no more, because it ended or lost its connection. */
export const isGoneSql = (id: string) => `not exists (
  select from pg_locks k where k.locktype = 'advisory' and k.classid = ${aliveClass}
    and k.objid = (hashtext(${id}) & 2147483647)
    and k.database = (select oid from pg_database where datname = current_database()))`;

/**
 * This process as others can tell that it lives: an advisory lock of its id on its standing connection, which the server
 * drops when the process ends, however it ends. A frozen process keeps it; leases run out for that case.
 */
export class ProcessSession {
  readonly id: string;
  private readonly duty: Duty;
  private isAway = true;
  /** Whether its first session was made at once, or a later one is the first since the server could be reached. */
  private hasStarted = false;
  private backAt = -Infinity;

  constructor(
    private readonly connections: Connections,
    nodeName: string,
    logger: Logger,
  ) {
    this.id = `${nodeName}/${randomUUID()}`;
    const lock = `($1, hashtext($2) & 2147483647)`;
    this.duty = {
      begin: async (client) => {
        await client.query(`select pg_advisory_lock_shared${lock}`, [aliveClass, this.id]);
        // Each time: one that is lost before its line has stood says as much of the others as no session at all.
        if (this.hasStarted) this.backAt = performance.now();
        this.isAway = false;
      },
      end: async (client) => client.query(`select pg_advisory_unlock_shared${lock}`, [aliveClass, this.id]),
      lost: (error) => {
        this.isAway = true;
        logger.warn({ err: error }, 'the connection that says this process is alive was lost');
      },
    };
  }

  /**
   * Whether a process without a session can be taken to be gone. When the server is lost all lose theirs, and who is back
   * first would take everything from the others, and they from each other. A process that starts knows at once: one that
   * replaces another is not to wait for its leases to run out.
   */
  get knowsOthers(): boolean {
    return !this.isAway && performance.now() - this.backAt > othersBackWithinMs;
  }

  async start(): Promise<void> {
    await this.connections.standing.take(this.duty);
    this.hasStarted = true;
  }

  async stop(): Promise<void> {
    await this.connections.standing.giveUp(this.duty);
  }
}
