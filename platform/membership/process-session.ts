import { randomUUID } from 'node:crypto';

import type { Connections } from '../database/connections.js';
import type { Duty } from '../database/standing-connection.js';
import type { Logger } from '../logger.js';

// Marks the advisory locks that mean "the process of this id is alive".
const aliveClass = 0x51_5b;

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

  constructor(
    private readonly connections: Connections,
    nodeName: string,
    logger: Logger,
  ) {
    this.id = `${nodeName}/${randomUUID()}`;
    const lock = `($1, hashtext($2) & 2147483647)`;
    this.duty = {
      begin: async (client) => client.query(`select pg_advisory_lock_shared${lock}`, [aliveClass, this.id]),
      end: async (client) => client.query(`select pg_advisory_unlock_shared${lock}`, [aliveClass, this.id]),
      lost: (error) => logger.warn({ err: error }, 'the connection that says this process is alive was lost'),
    };
  }

  async start(): Promise<void> {
    await this.connections.standing.take(this.duty);
  }

  async stop(): Promise<void> {
    await this.connections.standing.giveUp(this.duty);
  }
}
