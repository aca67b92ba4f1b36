import pg from 'pg';

import type { TestPanel } from '../../support/panel.js';

// The class of the locks by which processes say that they live.
const aliveClass = 0x51_5b;

/** A process of the panel as the database sees it: its row, and the lock of its session. */
export class StandInProcess implements AsyncDisposable {
  private constructor(
    private readonly panel: TestPanel,
    readonly id: string,
    private readonly session: pg.Client,
  ) {}

  /** `startedAt` is SQL. */
  static async comes(
    panel: TestPanel,
    id: string,
    {
      version = '1.0.0',
      startedAt = `now() - interval '1 hour'`,
      areas = 'fleet',
    }: { version?: string; startedAt?: string; areas?: string } = {},
  ): Promise<StandInProcess> {
    const session = new pg.Client({ connectionString: panel.database.ownerUrl });
    session.on('error', () => undefined);
    await session.connect();
    await session.query('select pg_advisory_lock_shared($1, hashtext($2) & 2147483647)', [aliveClass, id]);
    await session.query(
      `insert into platform.process (id, node_name, version, address, areas, state, started_at, beat_at)
       values ($1, $2, $3, 'there:1', string_to_array($4, ','), 'running', ${startedAt}, now() + interval '1 hour')`,
      [id, id.split('/')[0], version, areas],
    );
    return new StandInProcess(panel, id, session);
  }

  /** What it was told, or will be at its next beat. */
  async told(): Promise<string | null | undefined> {
    const [row] = await this.panel.sql<{ told: string | null }>(
      'select told from platform.process where id = $1',
      [this.id],
    );
    return row?.told;
  }

  /** As with kill -9, ten seconds ago. */
  async dies(): Promise<void> {
    await this.session.end();
    await this.panel.sql(
      `update platform.process set beat_at = now() - interval '11 seconds' where id = $1`,
      [this.id],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.end();
    await this.panel.sql('delete from platform.process where id = $1', [this.id]);
  }
}
