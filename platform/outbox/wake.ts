import type { Connections } from '../database/connections.js';
import type { Logger } from '../logger.js';

/**
 * Hears, at once and from every process, that an area's outbox has new rows. Losing the connection for it costs only
 * speed, since every tail also looks by itself every few seconds.
 */
export class OutboxWake {
  private readonly listeners = new Map<string, Set<() => void>>();
  private stopListening: (() => Promise<void>) | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    this.stopListening = await this.connections.standing.listen('outbox', {
      hear: (area) => this.wake(area),
      again: () => this.wake(undefined),
      lost: (error) => this.logger.warn({ err: error }, 'the outbox connection was lost'),
    });
  }

  /** Calls `listener` when the area may have new rows; answers how to stop that. */
  onWake(area: string, listener: () => void): () => void {
    const listeners = this.listeners.get(area) ?? new Set();
    this.listeners.set(area, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async stop(): Promise<void> {
    await this.stopListening?.();
  }

  private wake(area: string | undefined): void {
    const woken = area === undefined ? [...this.listeners.values()] : [this.listeners.get(area)];
    for (const listeners of woken) for (const listener of listeners ?? []) listener();
  }
}
