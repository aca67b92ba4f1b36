import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { chooseAccount, spawnAs } from '#platform/database/embedded/account.js';
import { freePort } from '#platform/database/embedded/port.js';

import { createDataDir } from './data-dir.js';
import { until } from './world.js';

/** Whether Debian's pgbouncer is on this machine; tests that need one say so when it is not. */
export const hasPgbouncer = spawnSync('pgbouncer', ['--version']).status === 0;

/** A pgbouncer that gives each transaction another connection, in front of a server. */
export class TestPooler implements AsyncDisposable {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly child: ChildProcess,
    private readonly login: { name: string; password: string },
  ) {}

  static async start(server: {
    host: string;
    port: number;
    login: { name: string; password: string };
  }): Promise<TestPooler> {
    const folder = createDataDir();
    const port = (await freePort(0))!;
    const { name, password } = server.login;
    const file = (called: string, text: string) => {
      const path = join(folder, called);
      writeFileSync(path, text);
      chmodSync(path, 0o644);
      return path;
    };
    const settings = file(
      'pgbouncer.ini',
      [
        '[databases]',
        `* = host=${server.host} port=${server.port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${file('users.txt', `"${name}" "${password}"\n`)}`,
        `stats_users = ${name}`,
        'pool_mode = transaction',
        'default_pool_size = 3',
        'server_lifetime = 60',
      ].join('\n'),
    );
    const { child } = spawnAs(
      chooseAccount(undefined),
      'KILL',
      ['pgbouncer', '--quiet', settings],
      ['ignore', 'ignore', 'ignore'],
    );
    const pooler = new TestPooler(folder, port, child, server.login);
    await until(
      async () =>
        pooler.transactions().then(
          () => true,
          () => false,
        ),
      'pgbouncer to answer',
    );
    return pooler;
  }

  /** The URL of the same database, through here. */
  through(url: string): string {
    const here = new URL(url);
    here.hostname = '127.0.0.1';
    here.port = String(this.port);
    return here.href;
  }

  /** How many transactions it has carried. */
  async transactions(): Promise<number> {
    const { name, password } = this.login;
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: name,
      password,
      database: 'pgbouncer',
    });
    await client.connect();
    try {
      const { rows } = await client.query<{ total_xact_count: string }>('show stats');
      return rows.reduce((sum, row) => sum + Number(row.total_xact_count), 0);
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
