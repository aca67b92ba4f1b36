import { rmSync } from 'node:fs';

import pg from 'pg';

import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { createDataDir } from '../../support/data-dir.js';

/** What the application logs in as. */
export const login = { name: 'panel_app', password: 'secret' } as const;

/** A PostgreSQL of a test file's own, for what is about roles: they are those of a whole cluster. */
export class Cluster {
  private readonly clients: pg.Client[] = [];
  private databases = 0;

  private constructor(
    private readonly dataDir: string,
    private readonly server: EmbeddedPostgres,
  ) {}

  static async start(): Promise<Cluster> {
    const dataDir = createDataDir();
    const settings = { fsync: 'off' };
    return new Cluster(dataDir, await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings }));
  }

  /** As the superuser unless told; until `disconnect`. */
  async connect(database: string, user?: string, password = 'secret'): Promise<pg.Client> {
    const url = new URL(this.server.url(database));
    if (user !== undefined) [url.username, url.password] = [user, password];
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    this.clients.push(client);
    return client;
  }

  async newDatabase(): Promise<string> {
    const name = `roles_${(this.databases += 1)}`;
    const owner = await this.connect('postgres');
    await owner.query(`create database ${name}`);
    return name;
  }

  async disconnect(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.end()));
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export async function run(client: pg.Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}
