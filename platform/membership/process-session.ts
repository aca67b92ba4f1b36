import { randomUUID } from 'node:crypto';

import pg from 'pg';

import type { Logger } from '../logger.js';

// Marks the advisory locks that mean "the process of this id is alive".
const aliveClass = 0x51_5b;

/** True in SQL of a process id whose process holds its session no more, because it ended or lost its connection. */
export const isGoneSql = (id: string) => `not exists (
  select from pg_locks k where k.locktype = 'advisory' and k.classid = ${aliveClass}
    and k.objid = (hashtext(${id}) & 2147483647)
    and k.database = (select oid from pg_database where datname = current_database()))`;

/**
 * This process as others can tell that it lives: an advisory lock of its id on a connection of its own, which the
 * server drops when the process ends, however it ends. A frozen process keeps it; leases run out for that case.
 */
export class ProcessSession {
  readonly id: string;
  private client: pg.Client | undefined;
  private isStopped = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    nodeName: string,
    private readonly logger: Logger,
  ) {
    this.id = `${nodeName}/${randomUUID()}`;
  }

  async start(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      keepAlive: true,
      application_name: 'panel process',
    });
    client.on('error', (error) => this.reconnect(client, error));
    client.on('end', () => this.reconnect(client));
    this.client = client;
    try {
      await client.connect();
      await client.query('select pg_advisory_lock_shared($1, hashtext($2) & 2147483647)', [
        aliveClass,
        this.id,
      ]);
    } catch (error) {
      this.reconnect(client, error);
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }

  private reconnect(client: pg.Client, error?: unknown): void {
    if (this.isStopped || this.client !== client) return;
    this.client = undefined;
    if (error) this.logger.warn({ err: error }, 'the connection that says this process is alive was lost');
    client.end().catch(() => undefined);
    this.retry = setTimeout(() => void this.start(), 1_000);
    this.retry.unref();
  }
}
