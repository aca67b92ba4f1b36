import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { inject } from 'vitest';

import { startPanel, type Panel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from './clock.js';
import { templateDatabase } from './postgres.js';
import { World } from './world.js';

export interface TestDatabase {
  /** The application's URL, as panel_app. */
  url: string;
  /** The superuser's URL. */
  ownerUrl: string;
  name: string;
  drop(): Promise<void>;
}

/** A database of its own for a test file, cloned from the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { ownerUrl, password } = inject('postgres');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await asOwner(ownerUrl, (client) => client.query(`create database ${name} template ${templateDatabase}`));
  const owner = new URL(ownerUrl);
  owner.pathname = `/${name}`;
  const app = new URL(owner);
  app.username = 'panel_app';
  app.password = password;
  return {
    name,
    url: app.href,
    ownerUrl: owner.href,
    drop: async () => {
      await asOwner(ownerUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A whole panel on a database of its own, with a clock that only the test moves. */
export interface TestPanel extends AsyncDisposable {
  panel: Panel;
  database: TestDatabase;
  clock: TestClock;
  world: World;
  /** Runs SQL as the superuser, past every policy. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export const testAdministrator = { email: 'admin@panel.test', password: 'administrator-password' };

/** Starts a panel for a test file. `settings` are environment variables on top of the defaults. */
export async function startTestPanel(settings: Record<string, string> = {}): Promise<TestPanel> {
  const database = await createTestDatabase();
  const clock = new TestClock();
  const panel = await startPanel({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
      ...settings,
    }),
    logger: silentLogger,
    clock,
  });
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
  // Dropping the database with force ends idle connections of the pool, which is not a failure.
  owner.on('error', () => undefined);
  const stop = async () => {
    await panel.stop();
    await owner.end();
    await database.drop();
  };
  return {
    panel,
    database,
    clock,
    world: new World(panel.url, clock),
    sql: async (text, values) => (await owner.query(text, values)).rows,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
