import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import pg from 'pg';

import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';

import { createDataDir } from '../../support/data-dir.js';

export const isRoot = process.getuid?.() === 0;

export interface Panel {
  process: ChildProcess;
  /** What its start answered. */
  server: { outcome: string; pid: number; port: number };
}

/** Embedded servers, and what else a test leaves behind. */
export class EmbeddedServers {
  private readonly leftovers: (() => unknown)[] = [];
  private made: Promise<string> | undefined;

  /** Undoes it all, the newest first. */
  async clear(): Promise<void> {
    for (const dispose of this.leftovers.splice(0).toReversed()) await dispose();
  }

  later(dispose: () => unknown): void {
    this.leftovers.push(dispose);
  }

  temporaryFolder(): string {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quazzar-postgres-')));
    if (isRoot) chmodSync(folder, 0o711);
    this.later(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** A folder with a cluster that was made before: a copy takes a tenth of what making one does. */
  async madeFolder(): Promise<string> {
    this.made ??= this.make();
    const folder = this.temporaryFolder();
    execFileSync('cp', ['-a', `${await this.made}/.`, folder]);
    return folder;
  }

  /** Undoes what is kept from test to test. */
  async end(): Promise<void> {
    if (this.made) rmSync(await this.made, { recursive: true, force: true });
  }

  private async make(): Promise<string> {
    const dataDir = createDataDir();
    const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings: { fsync: 'off' } });
    await server.stop();
    return dataDir;
  }

  async start(dataDir: string, more: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      ...more,
      settings: { fsync: 'off', ...more.settings },
    });
    this.later(() => server.stop());
    return server;
  }

  /** A node process of its own that starts the server. */
  async startPanel(dataDir: string, env: NodeJS.ProcessEnv = process.env): Promise<Panel> {
    const script = assetPath('test', 'platform', 'embedded-postgres-child.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
      cwd: assetPath(),
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.later(() => child.kill('SIGKILL'));
    const [line] = (await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${code}`))),
    ])) as [string];
    return { process: child, server: JSON.parse(line) as Panel['server'] };
  }
}

export async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // The query fails as well, where the server is killed under it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

export const keep = (url: string) => query(url, `create table kept as select 'precious' as word`);
export const kept = (url: string) => query(url, 'select word from kept');
export const precious = [{ word: 'precious' }];
