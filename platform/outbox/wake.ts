import pg from 'pg';

import type { Logger } from '../logger.js';

/**
 * One listening connection per process: it hears, at once and from every process, that an area's outbox has new rows.
 * Losing it costs only speed, since every reader also looks by itself once a second.
 */
export class OutboxWake {
  private readonly listeners = new Map<string, Set<() => void>>();
  private client: pg.Client | undefined;
  private isStopped = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      keepAlive: true,
      application_name: 'panel outbox',
    });
    client.on('notification', ({ payload }) => this.wake(payload));
    client.on('error', (error) => this.reconnect(client, error));
    client.on('end', () => this.reconnect(client));
    this.client = client;
    try {
      await client.connect();
      await client.query('listen outbox');
      this.wake(undefined);
    } catch (error) {
      this.reconnect(client, error);
    }
  }

  /** Calls `listener` when the area may have new rows; answers how to stop that. */
  onWake(area: string, listener: () => void): () => void {
    const listeners = this.listeners.get(area) ?? new Set();
    this.listeners.set(area, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }

  private wake(area: string | undefined): void {
    const woken = area === undefined ? [...this.listeners.values()] : [this.listeners.get(area)];
    for (const listeners of woken) for (const listener of listeners ?? []) listener();
  }

  private reconnect(client: pg.Client, error?: unknown): void {
    if (this.isStopped || this.client !== client) return;
    this.client = undefined;
    if (error) this.logger.warn({ err: error }, 'the outbox connection was lost');
    client.end().catch(() => undefined);
    this.retry = setTimeout(() => void this.start(), 1_000);
    this.retry.unref();
  }
}
