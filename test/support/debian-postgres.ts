import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { chooseAccount } from '#platform/database/embedded/account.js';

import { createDataDir } from './data-dir.js';
import type { TestDatabase } from './panel.js';
import { freePort } from './process.js';

const programs = '/usr/lib/postgresql/15/bin';

/** Whether Debian's postgresql-15 and its clients are on this machine; tests that need them say so when they are not. */
export const hasDebianPostgres =
  existsSync(join(programs, 'postgres')) && spawnSync('pg_dump', ['--version']).status === 0;

/** A PostgreSQL 15 of a test's own, as an operator has one: with an owner who is no superuser. */
export class DebianPostgres implements AsyncDisposable {
  private constructor(
    private readonly folder: string,
    private readonly data: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<DebianPostgres> {
    const folder = createDataDir();
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    const account = chooseAccount(undefined);
    if (account) chownSync(data, account.uid, account.gid);
    const server = new DebianPostgres(folder, data, await freePort());
    server.run(
      'initdb',
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
    );
    const options = `-p ${server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
    server.run('pg_ctl', '-D', data, '-w', '-s', '-l', join(data, 'log'), '-o', options, 'start');
    await server.sql('postgres', 'create role panel_owner login createrole');
    await server.sql('postgres', `create role panel_app login`);
    await server.sql('postgres', 'create database panel owner panel_owner');
    return server;
  }

  url(user: string, database = 'panel'): string {
    return `postgresql://${user}@127.0.0.1:${this.port}/${database}`;
  }

  /** For `startTestPanel`. */
  get database(): TestDatabase {
    return {
      name: 'panel',
      url: this.url('panel_app'),
      ownerUrl: this.url('postgres'),
      drop: async () => undefined,
    };
  }

  async sql(database: string, text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres', database) });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.run('pg_ctl', '-D', this.data, '-w', '-s', '-m', 'immediate', 'stop');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(program: string, ...args: string[]): void {
    const account = chooseAccount(undefined);
    execFileSync(join(programs, program), args, { cwd: '/', stdio: 'ignore', ...account });
  }
}
