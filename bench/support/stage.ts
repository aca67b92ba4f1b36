import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { migrate } from '#panel/database.js';
import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';

const password = 'bench-password';

export interface RunningPanel {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** A real PostgreSQL with its usual durability (fsync on), migrated, and panels on it as processes of their own. */
export interface Stage {
  /** As panel_app. */
  url: string;
  ownerUrl: string;
  keyring: Keyring;
  /** Of the server, for its CPU time. */
  postgresPid(): number;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Starts a compiled panel on the stage's database. */
  panel(settings?: Record<string, string>): Promise<RunningPanel>;
  stop(): Promise<void>;
}

export async function openStage(settings: Record<string, string> = {}): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'panel-bench-'));
  // The postgres user may pass through: run by root, the cluster would otherwise be kept elsewhere, and stay.
  chmodSync(dataDir, 0o711);
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    settings: { shared_buffers: '1GB', max_wal_size: '4GB', ...settings },
  });
  const undo: (() => Promise<unknown> | void)[] = [
    () => rmSync(dataDir, { recursive: true, force: true }),
    () => server.stop(),
  ];
  const maintenance = new pg.Client({ connectionString: server.url('postgres') });
  await maintenance.connect();
  await maintenance.query('create database panel');
  await maintenance.end();
  const ownerUrl = server.url('panel');
  await migrate(ownerUrl, password, silentLogger);
  const url = new URL(ownerUrl);
  url.username = 'panel_app';
  url.password = password;
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
  undo.push(() => owner.end());
  const secretsKey = randomBytes(32).toString('base64');
  return {
    url: url.href,
    ownerUrl,
    keyring: Keyring.parse(secretsKey),
    postgresPid: () => server.pid() ?? 0,
    sql: async (text, values) => (await owner.query(text, values)).rows,
    async panel(more = {}) {
      const panel = await startPanelProcess(url.href, secretsKey, more);
      undo.push(() => panel.stop());
      return panel;
    },
    async stop() {
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

/** Builds the panel, as `npm start` does. */
export function build(): void {
  const { status } = spawnSync(process.execPath, [assetPath('tools', 'build-programs.ts')], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the panel could not be built');
}

async function startPanelProcess(
  databaseUrl: string,
  secretsKey: string,
  settings: Record<string, string>,
): Promise<RunningPanel> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [assetPath('dist', 'panel', 'main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      SECRETS_KEY: secretsKey,
      PORT: String(port),
      HOST: '127.0.0.1',
      PUBLIC_URL: panelIssuer,
      LOG_LEVEL: 'error',
      RATE_LIMIT_PER_MINUTE: '1000000000',
      ADMIN_EMAIL: 'admin@bench.test',
      ADMIN_PASSWORD: 'administrator-password',
      ...settings,
    },
  });
  await ready(child, url);
  return {
    url,
    pid: child.pid!,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** PUBLIC_URL of every panel on a stage: the issuer of its credentials. */
export const panelIssuer = 'http://panel.bench';

async function ready(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the panel ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error('the panel was not ready within two minutes');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
