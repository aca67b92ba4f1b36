import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { chooseAccount, spawnAs, type Account } from '#platform/database/embedded/account.js';

import { createDataDir } from './data-dir.js';
import { freePort } from './process.js';
import { SwitchedAddress } from './switched-address.js';
import { until } from './world.js';

const binaries = '/usr/lib/postgresql/15/bin';

/** Whether Debian's patroni, etcd-server and postgresql-15 are on this machine; tests that need them say so when not. */
export const hasPatroni =
  spawnSync('patroni', ['--version']).status === 0 &&
  spawnSync('etcd', ['--version']).status === 0 &&
  existsSync(join(binaries, 'postgres'));

const login = { username: 'patroni', password: ['rest', 'password'].join('-') };
const password = ['server', 'password'].join('-');

/** PostgreSQL kept by Patroni: two members with one etcd, and an address that leads to whichever takes writes. */
export class PatroniCluster implements AsyncDisposable {
  private readonly children: ChildProcess[] = [];
  private readonly patronis = new Map<string, ChildProcess>();
  private readonly restPorts = new Map<string, number>();
  private readonly ports = new Map<string, number>();
  private address: SwitchedAddress | undefined;
  private leading: string | undefined;
  private isOver = false;
  private following: Promise<void> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly account: Account,
  ) {}

  static async start(): Promise<PatroniCluster> {
    const cluster = new PatroniCluster(createDataDir(), chooseAccount(undefined));
    const etcd = await cluster.startEtcd();
    // The first becomes the leader, of which the second then is a copy.
    await cluster.startMember('pg-1', etcd);
    await until(async () => (await cluster.leader()) === 'pg-1', 'a first member that leads', 90_000);
    await cluster.startMember('pg-2', etcd);
    await until(async () => cluster.isReplica('pg-2'), 'a second member that streams', 90_000);
    cluster.address = await SwitchedAddress.open(cluster.ports.get('pg-1')!);
    cluster.following = cluster.follow();
    return cluster;
  }

  /** PATRONI_URLS. */
  urls(more: { password?: string } = {}): string {
    return [...this.restPorts.values()]
      .map((port) => `http://${login.username}:${more.password ?? login.password}@127.0.0.1:${port}`)
      .join(',');
  }

  /** The superuser's URL, of whoever takes writes or of one member. */
  ownerUrl(database: string, member?: string): string {
    const url = `postgresql://postgres:${password}@127.0.0.1:${this.ports.get(member ?? 'pg-1')}/${database}`;
    return member === undefined ? this.address!.through(url) : url;
  }

  async sql(text: string, member: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.ownerUrl(database, member) });
    client.on('error', () => undefined);
    await client.connect();
    return client
      .query(text)
      .then(({ rows }) => rows as Record<string, unknown>[])
      .finally(() => client.end());
  }

  /** Changes what Patroni keeps of all members, as `patronictl edit-config` does. */
  async configure(settings: Record<string, unknown>): Promise<void> {
    const [port] = this.restPorts.values();
    const answer = await fetch(`http://127.0.0.1:${port}/config`, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`,
      },
      body: JSON.stringify(settings),
    });
    if (!answer.ok) throw new Error(`PATCH /config: ${answer.status} ${await answer.text()}`);
  }

  /** Its machine is gone: Patroni and PostgreSQL end without a word. */
  async lose(member: string): Promise<void> {
    const patroni = this.patronis.get(member)!;
    const gone = once(patroni, 'exit');
    const postmaster = this.postmasterOf(member);
    patroni.kill('SIGKILL');
    process.kill(postmaster, 'SIGKILL');
    await gone;
  }

  /** It is back. */
  bring(member: string): void {
    this.run(member, ['patroni', join(this.folder, member, 'patroni.yml')]);
  }

  /** The pid of a member's process that receives the log, once there is one. */
  async receiverOf(member: string): Promise<number> {
    let found = '';
    await until(async () => {
      found = spawnSync('pgrep', ['-P', String(this.postmasterOf(member)), '-f', 'walreceiver'], {
        encoding: 'utf8',
      }).stdout.trim();
      return found !== '';
    }, `${member} to receive the log`);
    return Number(found);
  }

  async leader(): Promise<string | undefined> {
    for (const [member, port] of this.restPorts) {
      const answer = await fetch(`http://127.0.0.1:${port}/primary`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return member;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await this.following;
    await this.address?.[Symbol.asyncDispose]();
    for (const child of this.children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const isGone = await Promise.race([gone.then(() => true), sleep(10_000, false, { ref: false })]);
      if (!isGone) child.kill('SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private postmasterOf(member: string): number {
    const [pid] = readFileSync(join(this.folder, member, 'data', 'postmaster.pid'), 'utf8').split('\n');
    return Number(pid);
  }

  private async isReplica(member: string): Promise<boolean> {
    const port = this.restPorts.get(member)!;
    const answer = await fetch(`http://127.0.0.1:${port}/replica`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }

  /** As a proxy does that looks three times a second. */
  private async follow(): Promise<void> {
    this.leading = 'pg-1';
    while (!this.isOver) {
      await sleep(300);
      const leader = await this.leader();
      if (leader === this.leading) continue;
      this.address!.cut();
      if (leader !== undefined) this.address!.switchTo(this.ports.get(leader)!);
      this.leading = leader;
    }
  }

  private async startEtcd(): Promise<number> {
    const [client, peer] = [await freePort(), await freePort()];
    const urlOf = (port: number) => `http://127.0.0.1:${port}`;
    const data = this.place('etcd');
    this.run('etcd', [
      'etcd',
      '--name=one',
      `--data-dir=${data}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${urlOf(client)}`,
      `--advertise-client-urls=${urlOf(client)}`,
      `--listen-peer-urls=${urlOf(peer)}`,
      `--initial-advertise-peer-urls=${urlOf(peer)}`,
      `--initial-cluster=one=${urlOf(peer)}`,
    ]);
    await until(
      async () =>
        fetch(`${urlOf(client)}/health`).then(
          async (answer) => ((await answer.json()) as { health: string }).health === 'true',
          () => false,
        ),
      'etcd',
      60_000,
    );
    return client;
  }

  private async startMember(name: string, etcd: number): Promise<void> {
    const [rest, port] = [await freePort(), await freePort()];
    this.restPorts.set(name, rest);
    this.ports.set(name, port);
    const folder = this.place(name);
    // JSON is YAML.
    const settings = {
      scope: 'panel',
      name,
      restapi: {
        listen: `127.0.0.1:${rest}`,
        connect_address: `127.0.0.1:${rest}`,
        authentication: login,
      },
      etcd3: { hosts: `127.0.0.1:${etcd}` },
      bootstrap: {
        dcs: {
          ttl: 20,
          loop_wait: 2,
          retry_timeout: 5,
          maximum_lag_on_failover: 1_048_576,
          synchronous_mode: false,
          postgresql: {
            use_pg_rewind: true,
            parameters: { max_connections: 100, fsync: 'off', wal_keep_size: '256MB' },
          },
        },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }, 'data-checksums', 'no-sync'],
      },
      postgresql: {
        listen: `127.0.0.1:${port}`,
        connect_address: `127.0.0.1:${port}`,
        data_dir: join(folder, 'data'),
        bin_dir: binaries,
        pgpass: join(folder, 'pgpass'),
        authentication: {
          superuser: { username: 'postgres', password },
          replication: { username: 'replicator', password },
          rewind: { username: 'rewinder', password },
        },
        basebackup: [{ checkpoint: 'fast' }],
        pg_hba: [
          'host replication all 127.0.0.1/32 scram-sha-256',
          'host all all 127.0.0.1/32 scram-sha-256',
        ],
        parameters: { unix_socket_directories: folder, password_encryption: 'scram-sha-256' },
      },
    };
    const file = join(folder, 'patroni.yml');
    writeFileSync(file, JSON.stringify(settings));
    this.run(name, ['patroni', file]);
  }

  private place(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { mode: 0o755 });
    if (this.account) execFileSync('chown', [`${this.account.uid}:${this.account.gid}`, folder]);
    return folder;
  }

  private run(name: string, command: readonly [string, ...string[]]): void {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const { child } = spawnAs(this.account, 'INT', command, ['ignore', log, log]);
    closeSync(log);
    this.children.push(child);
    this.patronis.set(name, child);
  }
}
