import pg from 'pg';

import type { TestPanel } from './panel.js';
import { until } from './world.js';

/** A transaction of a stranger that holds what it locked until it is let go. */
export class HeldLock implements AsyncDisposable {
  private constructor(
    private readonly panel: TestPanel,
    private readonly client: pg.Client,
  ) {}

  /** Runs `statement` and does not commit. */
  static async by(panel: TestPanel, statement: string, values: unknown[] = []): Promise<HeldLock> {
    const client = new pg.Client({ connectionString: panel.database.ownerUrl });
    await client.connect();
    await client.query('begin');
    await client.query(statement, values);
    return new HeldLock(panel, client);
  }

  /** Within the same transaction. */
  async query(statement: string, values: unknown[] = []): Promise<unknown[]> {
    return (await this.client.query(statement, values)).rows;
  }

  /** Until somebody, or as many as told, waits for what it holds. */
  async wanted(by = 1): Promise<void> {
    await until(async () => {
      const waiting = await this.panel.sql(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length >= by;
    }, 'somebody to wait for the lock');
  }

  async release(): Promise<void> {
    await this.client.query('commit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
  }
}
