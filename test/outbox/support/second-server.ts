import { rmSync } from 'node:fs';

import pg from 'pg';
import { inject } from 'vitest';

import { migrate } from '#panel/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { createDataDir } from '../../support/data-dir.js';
import type { TestDatabase, TestPanel } from '../../support/panel.js';

export interface RestoredDatabase extends TestDatabase {
  sql: TestPanel['sql'];
}

/** Another PostgreSQL than that of the run, which has hardly given a transaction id out yet. */
export class SecondServer {
  private count = 0;

  private constructor(
    readonly dataDir: string,
    private readonly server: EmbeddedPostgres,
    private readonly owner: pg.Client,
  ) {}

  static async start(): Promise<SecondServer> {
    const dataDir = createDataDir();
    const server = await startEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
    });
    const owner = new pg.Client({ connectionString: server.url('postgres') });
    await owner.connect();
    await owner.query('create database migrated');
    await migrate(server.url('migrated'), inject('postgres').password, silentLogger);
    return new SecondServer(dataDir, server, owner);
  }

  get port(): number {
    return this.server.port;
  }

  /** A migrated database to restore something into. */
  async newDatabase(name = `restored_${(this.count += 1)}`): Promise<RestoredDatabase> {
    await this.owner.query(`create database ${name} template migrated`);
    const ownerUrl = this.server.url(name);
    const app = new URL(ownerUrl);
    app.username = 'panel_app';
    app.password = inject('postgres').password;
    return {
      name,
      ownerUrl,
      url: app.href,
      sql: async (text, values) => {
        const client = new pg.Client({ connectionString: ownerUrl });
        await client.connect();
        return client
          .query(text, values)
          .then(({ rows }) => rows)
          .finally(() => client.end());
      },
      drop: async () => {
        await this.owner.query(`drop database if exists ${name} with (force)`);
      },
    };
  }

  async stop(): Promise<void> {
    await this.owner.end();
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
