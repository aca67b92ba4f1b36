import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { OperatorError } from '../../errors.js';
import type { Logger } from '../../logger.js';

/**
 * How a lost server is started again: each attempt waits for the delay of its turn, and a turn counts for as long as
 * the window. When the turns are used up, another start of the whole process is the better attempt.
 */
export interface RestartPolicy {
  delaysMs: readonly number[];
  windowMs: number;
}

// Five minutes of attempts in a row: time to free a disk that is full.
export const restartPolicy: RestartPolicy = {
  delaysMs: [0, 1, 2, 4, 8, 15, 30, 30, 30, 60, 60, 60].map((seconds) => seconds * 1000),
  windowMs: 15 * 60_000,
};

const reconnectMs = 1_000;

export interface SupervisorOptions {
  /** The superuser's URL. The server keeps its address and password, so that every pool finds it again. */
  url: string;
  isAlive: () => boolean;
  /** Has a server on the cluster again, whichever process starts it. */
  restart: () => Promise<void>;
  policy: RestartPolicy;
  logger: Logger;
}

/**
 * Sees to it that the embedded server lives as long as this process. PostgreSQL starts again by itself after one of its
 * sessions has crashed, but nobody but us does after its first process was killed, or gave up for want of disk.
 */
export class Supervisor {
  /** Resolves, with words for the operator, when the server does not come back. */
  readonly failed: Promise<OperatorError>;
  private giveUp: (error: OperatorError) => void = () => undefined;
  private readonly ending = new AbortController();
  private readonly attempts: number[] = [];
  private held: pg.Client | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.failed = new Promise((resolve) => (this.giveUp = resolve));
    void this.watch();
  }

  stop(): void {
    this.ending.abort();
    this.held?.end().catch(() => undefined);
  }

  private async watch(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await this.hold();
      if (signal.aborted) return;
      if (this.options.isAlive()) await this.pause(reconnectMs);
      else if (!(await this.attempt())) return;
    }
  }

  /**
   * Resolves once the server has ended a connection that nobody uses, or did not take it: that is how the end of a
   * server shows at once which another process has started, and so is no child of ours.
   */
  private async hold(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.url,
      connectionTimeoutMillis: 30_000,
      application_name: 'panel supervisor',
    });
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      client.on('error', () => resolve());
    });
    this.held = client;
    try {
      await client.connect();
      if (this.ending.signal.aborted) void client.end();
      await ended;
    } catch {
      // Told apart by whether it lives.
    } finally {
      client.end().catch(() => undefined);
    }
  }

  /** One attempt to have the server again; false when there is none left. */
  private async attempt(): Promise<boolean> {
    const { policy, logger, restart } = this.options;
    const { signal } = this.ending;
    const now = performance.now();
    while (this.attempts[0] !== undefined && this.attempts[0] < now - policy.windowMs) this.attempts.shift();
    const delayMs = policy.delaysMs[this.attempts.length];
    if (delayMs === undefined) {
      this.giveUp(
        new OperatorError(
          `The embedded PostgreSQL ended and did not come back in ${this.attempts.length} attempts; this process ends ` +
            'too. Its last words are above, and in postgres.log beside its cluster. A full disk is a common reason.',
        ),
      );
      return false;
    }
    this.attempts.push(now);
    await this.pause(delayMs);
    if (signal.aborted) return false;
    try {
      logger.warn({ attempt: this.attempts.length, delayMs }, 'PostgreSQL has ended: starting it again');
      await restart();
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'PostgreSQL could not be started again');
    }
    return true;
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
