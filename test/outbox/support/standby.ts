import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { spawnAs } from '#platform/database/embedded/account.js';
import { findBinaries } from '#platform/database/embedded/binaries.js';
import { freePort } from '#platform/database/embedded/port.js';
import { silentLogger } from '#platform/logger.js';

import { createDataDir } from '../../support/data-dir.js';
import { SwitchedAddress } from '../../support/switched-address.js';
import { until } from '../../support/world.js';

export interface Primary {
  /** The folder that holds the cluster in `postgres`. */
  dataDir: string;
  port: number;
  /** The superuser's URL of one of its databases. */
  ownerUrl: string;
}

/** A streaming standby of a server, made of a base backup, behind a line that a test can cut. */
export class Standby implements AsyncDisposable {
  private constructor(
    private readonly dataDir: string,
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly line: SwitchedAddress,
    private readonly primary: Primary,
  ) {}

  static async of(primary: Primary): Promise<Standby> {
    const dataDir = createDataDir();
    const cluster = join(dataDir, 'postgres');
    const owner = await open(primary.ownerUrl);
    // No WAL goes before the standby has it, however long it is cut off.
    await owner.query(`alter system set wal_keep_size = '512MB'`);
    await owner.query('select pg_reload_conf()');
    await owner.query(`select pg_backup_start('standby', true)`);
    execFileSync('cp', ['-a', join(primary.dataDir, 'postgres'), cluster], { stdio: 'ignore' });
    const { rows } = await owner.query<{ label: string }>(
      'select labelfile as label from pg_backup_stop(false)',
    );
    await owner.end();
    for (const inside of ['pg_wal', 'pg_replslot'])
      for (const entry of readdirSync(join(cluster, inside)))
        rmSync(join(cluster, inside, entry), { recursive: true });
    rmSync(join(cluster, 'postmaster.pid'), { force: true });
    writeFileSync(join(cluster, 'backup_label'), rows[0]!.label);
    writeFileSync(join(cluster, 'standby.signal'), '');

    const line = await SwitchedAddress.open(primary.port);
    const through = new URL(line.through(primary.ownerUrl));
    const { uid, gid } = statSync(join(cluster, 'PG_VERSION'));
    const account = process.getuid?.() === 0 ? { uid, gid } : undefined;
    execFileSync('chown', ['-R', `${uid}:${gid}`, cluster]);
    const port = (await freePort(0))!;
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      fsync: 'off',
      timezone: 'UTC',
      wal_retrieve_retry_interval: '200ms',
      primary_conninfo:
        `host=127.0.0.1 port=${through.port} user=${through.username} application_name=standby ` +
        `password=${decodeURIComponent(through.password)}`,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const log = openSync(join(dataDir, 'log'), 'a');
    const { postgres } = findBinaries(account, silentLogger);
    const command = [postgres, '-D', cluster, '-p', String(port), ...flags] as const;
    const { child } = spawnAs(account, 'INT', command, ['ignore', log, log]);
    closeSync(log);
    const standby = new Standby(dataDir, port, child, line, primary);
    await until(async () => standby.isUp(), 'the standby to take connections');
    return standby;
  }

  /** The superuser's URL of the same database here. */
  get ownerUrl(): string {
    const url = new URL(this.primary.ownerUrl);
    url.port = String(this.port);
    return url.href;
  }

  /** Resolves when all that the primary has written is here. */
  async caughtUp(): Promise<void> {
    const [written] = await rowsOf<{ lsn: string }>(
      this.primary.ownerUrl,
      'select pg_current_wal_insert_lsn()::text as lsn',
    );
    await until(async () => {
      const [row] = await rowsOf<{ isHere: boolean }>(
        this.ownerUrl,
        `select coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isHere"`,
        [written!.lsn],
      );
      return row!.isHere;
    }, 'the standby to catch up');
  }

  /** From now on it hears nothing of the primary. */
  fallBehind(): void {
    this.line.cut();
  }

  /** Makes it take writes. */
  async promote(): Promise<void> {
    await rowsOf(this.ownerUrl, 'select pg_promote(true, 60)');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGINT');
      await Promise.race([
        gone,
        sleep(10_000, undefined, { ref: false }).then(() => this.child.kill('SIGKILL')),
      ]);
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async isUp(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    return (
      isOpen &&
      rowsOf(this.ownerUrl, 'select 1').then(
        () => true,
        () => false,
      )
    );
  }
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function rowsOf<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = await open(url);
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
