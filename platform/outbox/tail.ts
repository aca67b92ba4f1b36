import type { Database } from '../database/database.js';
import type { Logger } from '../logger.js';
import { isAfter, type DeliveredEvent, type Position } from './event.js';
import { endOfOutbox, readOutbox } from './reader.js';
import type { OutboxWake } from './wake.js';

const batch = 500;
const pollMs = 1_000;
// A row is settled once the transactions older than its own have ended, so it is looked for again soon after a wake-up.
const settleMs = [5, 10, 20, 40, 80];

export type EventListener = (event: DeliveredEvent) => void;

/**
 * Follows one area's outbox for this process and hands each event, once and in order, to whoever listens. It reads
 * the table itself, whichever process wrote it, so there is no second path that could lose or reorder events.
 */
export class OutboxTail {
  private readonly listeners = new Set<EventListener>();
  private position: Position | undefined;
  private running: Promise<void> | undefined;
  private isWoken = false;
  private isStopped = false;
  private wakeUp: (() => void) | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    private readonly wake: OutboxWake,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    this.position = await endOfOutbox(this.database.forJobs());
    this.stopListening = this.wake.onWake(this.database.area, () => {
      this.isWoken = true;
      this.wakeUp?.();
    });
    this.running = this.follow();
  }

  /** Adds a listener and answers the position before its first event. */
  listen(listener: EventListener): { from: Position; stop: () => void } {
    if (!this.position) throw new Error('the outbox tail has not started');
    this.listeners.add(listener);
    return { from: this.position, stop: () => this.listeners.delete(listener) };
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.stopListening?.();
    this.wakeUp?.();
    await this.running;
  }

  private async follow(): Promise<void> {
    let attempt = settleMs.length;
    while (!this.isStopped) {
      if (this.isWoken) attempt = 0;
      this.isWoken = false;
      if ((await this.read()) === batch || this.isWoken) continue;
      await this.pause(settleMs[attempt] ?? pollMs);
      attempt += 1;
    }
  }

  private async read(): Promise<number> {
    try {
      const events = await readOutbox(this.database.forJobs(), this.database.area, {
        after: this.position!,
        limit: batch,
      });
      for (const event of events) this.deliver(event);
      return events.length;
    } catch (error) {
      if (!this.isStopped)
        this.logger.warn({ err: error, area: this.database.area }, 'the outbox could not be read');
      return 0;
    }
  }

  private deliver(event: DeliveredEvent): void {
    if (!isAfter(event.position, this.position!)) return;
    this.position = event.position;
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch (error) {
        this.logger.error({ err: error, topic: event.topic }, 'a listener failed on an event');
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
