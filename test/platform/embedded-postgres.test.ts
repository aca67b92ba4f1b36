import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import pg from 'pg';
import { afterEach, expect, test } from 'vitest';

import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '#platform/database/embedded-postgres.js';
import { relocatedHome } from '#platform/database/embedded/location.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';

const isRoot = process.getuid?.() === 0;
const leftovers: (() => unknown)[] = [];

afterEach(async () => {
  for (const dispose of leftovers.splice(0).toReversed()) await dispose();
});

function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quazzar-postgres-')));
  if (isRoot) chmodSync(folder, 0o711);
  leftovers.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(
  dataDir: string,
  more: Partial<EmbeddedPostgresOptions> = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    ...more,
    settings: { fsync: 'off', ...more.settings },
  });
  leftovers.push(() => server.stop());
  return server;
}

interface Panel {
  process: ChildProcess;
  /** What its start answered. */
  server: { outcome: string; pid: number; port: number };
}

/** A node process of its own that starts the server. */
async function startPanel(dataDir: string, env: NodeJS.ProcessEnv = process.env): Promise<Panel> {
  const script = assetPath('test', 'platform', 'embedded-postgres-child.ts');
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', script, dataDir], {
    cwd: assetPath(),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  leftovers.push(() => child.kill('SIGKILL'));
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${code}`))),
  ])) as [string];
  return { process: child, server: JSON.parse(line) as Panel['server'] };
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const keep = (url: string) => query(url, `create table kept as select 'precious' as word`);
const kept = (url: string) => query(url, 'select word from kept');
const precious = [{ word: 'precious' }];

test('a first start makes a server that is reached on loopback with a password only', async () => {
  const dataDir = join(temporaryFolder(), 'made', 'on', 'demand');
  const server = await start(dataDir);
  expect(server.outcome).toBe('initialised');
  expect(server.pid()).toBeGreaterThan(0);
  expect(
    await query(
      server.url('postgres'),
      `select name, setting from pg_settings where name in
       ('listen_addresses', 'unix_socket_directories', 'password_encryption', 'server_encoding', 'max_connections') order by name`,
    ),
  ).toEqual([
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'max_connections', setting: '200' },
    { name: 'password_encryption', setting: 'scram-sha-256' },
    { name: 'server_encoding', setting: 'UTF8' },
    { name: 'unix_socket_directories', setting: '' },
  ]);
  const wrong = new URL(server.url('postgres'));
  wrong.password = 'guessed';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
  expect(existsSync(join(dataDir, 'postgres.unfinished'))).toBe(false);
  expect(existsSync(join(dataDir, 'postgres.password'))).toBe(false);
});

test('a stopped server is gone, and a second start keeps data, address and password', async () => {
  const dataDir = temporaryFolder();
  const first = await start(dataDir);
  await keep(first.url('postgres'));
  await first.stop();
  expect(first.pid()).toBeUndefined();
  await expect(query(first.url('postgres'), 'select 1')).rejects.toThrow('ECONNREFUSED');

  const second = await start(dataDir);
  expect(second.outcome).toBe('started');
  expect(second.url('postgres')).toBe(first.url('postgres'));
  expect(await kept(second.url('postgres'))).toEqual(precious);
});

test('data survives kill -9 of the panel, whose server then ends or is taken over', async () => {
  const dataDir = temporaryFolder();
  const panel = await startPanel(dataDir);
  const before = await start(dataDir);
  expect(before.outcome).toBe('adopted');
  await keep(before.url('postgres'));
  await killed(panel.process);

  const after = await start(dataDir);
  expect(after.outcome).toBe(after.pid() === panel.server.pid ? 'adopted' : 'started');
  expect(await kept(after.url('postgres'))).toEqual(precious);
  await after.stop();
  expect(after.pid()).toBeUndefined();
});

test.runIf(process.platform === 'linux')(
  'a server ends cleanly by itself when its panel is killed',
  async () => {
    const dataDir = temporaryFolder();
    const panel = await startPanel(dataDir);
    await killed(panel.process);
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    await expect.poll(() => existsSync(pidFile), { timeout: 15_000 }).toBe(false);
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  },
);

test('a server that outlives its panel is adopted on its port and stopped by whom it was adopted', async () => {
  const dataDir = temporaryFolder();
  // Without setpriv on the PATH nothing ends the server when the panel dies.
  const bin = temporaryFolder();
  const idProgram = ['/usr/bin/id', '/bin/id'].find((path) => existsSync(path))!;
  symlinkSync(idProgram, join(bin, 'id'));
  const panel = await startPanel(dataDir, { ...process.env, PATH: bin });
  await killed(panel.process);

  const heir = await start(dataDir);
  expect({ outcome: heir.outcome, pid: heir.pid(), port: heir.port }).toEqual({
    ...panel.server,
    outcome: 'adopted',
  });
  await heir.stop();
  expect(heir.pid()).toBeUndefined();
});

test('data survives kill -9 of the server', async () => {
  const dataDir = temporaryFolder();
  const first = await start(dataDir);
  await keep(first.url('postgres'));
  process.kill(first.pid()!, 'SIGKILL');
  await expect.poll(() => first.pid(), { timeout: 10_000 }).toBeUndefined();

  const second = await start(dataDir);
  expect(second.outcome).toBe('started');
  expect(await kept(second.url('postgres'))).toEqual(precious);
});

test('two panels that start at once share one server, and only the one that started it stops it', async () => {
  const dataDir = temporaryFolder();
  const [one, other] = await Promise.all([startPanel(dataDir), startPanel(dataDir)]);
  expect([one.server.outcome, other.server.outcome].toSorted()).toEqual(['adopted', 'initialised']);
  expect(one.server.pid).toBe(other.server.pid);

  const guest = await start(dataDir);
  await guest.stop();
  expect(guest.pid()).toBe(one.server.pid);
  await Promise.all([killed(one.process), killed(other.process)]);
  // So that the server of the killed panels does not outlive this test.
  await start(dataDir);
});

test('a folder with files of somebody else is refused and left as it is', async () => {
  const dataDir = temporaryFolder();
  const folder = join(dataDir, 'postgres');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.txt'), 'years of work');
  await expect(start(dataDir)).rejects.toThrow(/postgres holds files that are not a database of this panel/);
  expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  expect(statSync(folder).uid).toBe(process.getuid?.());
});

test('a cluster whose password is lost is refused and left as it is', async () => {
  const dataDir = temporaryFolder();
  await (await start(dataDir)).stop();
  rmSync(join(dataDir, 'postgres.json'));
  await expect(start(dataDir)).rejects.toThrow(/postgres.json is missing/);
  expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
});

test('a cluster that vanished is reported, not replaced by an empty one', async () => {
  const dataDir = temporaryFolder();
  await (await start(dataDir)).stop();
  rmSync(join(dataDir, 'postgres'), { recursive: true });
  await expect(start(dataDir)).rejects.toThrow(/is gone/);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
});

test('a cluster that an interrupted start left half-made is made again', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'postgres', 'base'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
  writeFileSync(join(dataDir, 'postgres.unfinished'), '');
  const server = await start(dataDir);
  expect(server.outcome).toBe('initialised');
  expect(await query(server.url('postgres'), 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a cluster that was in use is never removed, whatever marker lies beside it', async () => {
  const dataDir = temporaryFolder();
  const first = await start(dataDir);
  await keep(first.url('postgres'));
  await first.stop();
  const marker = join(dataDir, 'postgres.unfinished');
  writeFileSync(marker, '');
  await expect(start(dataDir)).rejects.toThrow(/has been in use/);
  rmSync(marker);
  expect(await kept((await start(dataDir)).url('postgres'))).toEqual(precious);
});

test('another port is chosen and kept when the old one is taken', async () => {
  const dataDir = temporaryFolder();
  const first = await start(dataDir);
  await first.stop();
  const squatter = createServer().listen(first.port, '127.0.0.1');
  leftovers.push(() => squatter.close());
  await once(squatter, 'listening');

  const second = await start(dataDir);
  expect(second.port).not.toBe(first.port);
  await second.stop();
  expect((await start(dataDir)).port).toBe(second.port);
});

test('a port that was insisted on and is taken is a clear failure', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  leftovers.push(() => squatter.close());
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  await expect(start(temporaryFolder(), { port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
});

test('a server that cannot start is reported with its own last words', async () => {
  await expect(start(temporaryFolder(), { settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
    /did not start[^]*invalid value for parameter "shared_buffers"/,
  );
});

test.runIf(isRoot)(
  'as root below a private folder the database is kept where the postgres user can reach it',
  async () => {
    const home = temporaryFolder();
    chmodSync(home, 0o700);
    const dataDir = join(home, 'data');
    const elsewhere = relocatedHome(dataDir);
    leftovers.push(() => rmSync(elsewhere, { recursive: true, force: true }));
    const first = await start(dataDir);
    await keep(first.url('postgres'));
    await first.stop();
    expect(existsSync(join(elsewhere, 'postgres', 'PG_VERSION'))).toBe(true);
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);

    // It stays there even when the folder is opened later on.
    chmodSync(dirname(dataDir), 0o711);
    const second = await start(dataDir);
    expect(second.outcome).toBe('started');
    expect(await kept(second.url('postgres'))).toEqual(precious);
  },
);
