import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, expect, test } from 'vitest';

import { EmbeddedServers, keep, kept, killed, precious, query } from './support/embedded-servers.js';

const servers = new EmbeddedServers();
afterEach(async () => servers.clear());
afterAll(async () => servers.end());

test('a first start makes a server that is reached on loopback with a password only', async () => {
  const dataDir = join(servers.temporaryFolder(), 'made', 'on', 'demand');
  const server = await servers.start(dataDir);
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
  const dataDir = await servers.madeFolder();
  const first = await servers.start(dataDir);
  await keep(first.url('postgres'));
  await first.stop();
  expect(first.pid()).toBeUndefined();
  await expect(query(first.url('postgres'), 'select 1')).rejects.toThrow('ECONNREFUSED');

  const second = await servers.start(dataDir);
  expect(second.outcome).toBe('started');
  expect(second.url('postgres')).toBe(first.url('postgres'));
  expect(await kept(second.url('postgres'))).toEqual(precious);
});

test('data survives kill -9 of the panel, whose server then ends or is taken over', async () => {
  const dataDir = await servers.madeFolder();
  const panel = await servers.startPanel(dataDir);
  const before = await servers.start(dataDir);
  expect(before.outcome).toBe('adopted');
  await keep(before.url('postgres'));
  await killed(panel.process);

  const after = await servers.start(dataDir);
  expect(after.outcome).toBe(after.pid() === panel.server.pid ? 'adopted' : 'started');
  expect(await kept(after.url('postgres'))).toEqual(precious);
  await after.stop();
  expect(after.pid()).toBeUndefined();
});

test.runIf(process.platform === 'linux')(
  'a server ends cleanly by itself when its panel is killed',
  async () => {
    const dataDir = await servers.madeFolder();
    const panel = await servers.startPanel(dataDir);
    await killed(panel.process);
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    await expect.poll(() => existsSync(pidFile), { timeout: 30_000 }).toBe(false);
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  },
);

test('a server that outlives its panel is adopted on its port and stopped by whom it was adopted', async () => {
  const dataDir = await servers.madeFolder();
  // Without setpriv on the PATH nothing ends the server when the panel dies.
  const bin = servers.temporaryFolder();
  const idProgram = ['/usr/bin/id', '/bin/id'].find((path) => existsSync(path))!;
  symlinkSync(idProgram, join(bin, 'id'));
  const panel = await servers.startPanel(dataDir, { ...process.env, PATH: bin });
  await killed(panel.process);

  const heir = await servers.start(dataDir);
  expect({ outcome: heir.outcome, pid: heir.pid(), port: heir.port }).toEqual({
    ...panel.server,
    outcome: 'adopted',
  });
  await heir.stop();
  expect(heir.pid()).toBeUndefined();
});

test('data survives kill -9 of the server', async () => {
  const dataDir = await servers.madeFolder();
  const first = await servers.start(dataDir);
  await keep(first.url('postgres'));
  process.kill(first.pid()!, 'SIGKILL');
  await expect.poll(() => first.pid(), { timeout: 30_000 }).toBeUndefined();

  const second = await servers.start(dataDir);
  expect(second.outcome).toBe('started');
  expect(await kept(second.url('postgres'))).toEqual(precious);
});

test('two panels that start at once share one server, and only the one that started it stops it', async () => {
  const dataDir = servers.temporaryFolder();
  const [one, other] = await Promise.all([servers.startPanel(dataDir), servers.startPanel(dataDir)]);
  expect([one.server.outcome, other.server.outcome].toSorted()).toEqual(['adopted', 'initialised']);
  expect(one.server.pid).toBe(other.server.pid);

  const guest = await servers.start(dataDir);
  await guest.stop();
  expect(guest.pid()).toBe(one.server.pid);
  await Promise.all([killed(one.process), killed(other.process)]);
  // So that the server of the killed panels does not outlive this test.
  await servers.start(dataDir);
});

test('a server that cannot start is reported with its own last words', async () => {
  await expect(
    servers.start(servers.temporaryFolder(), { settings: { shared_buffers: 'plenty' } }),
  ).rejects.toThrow(/did not start[^]*invalid value for parameter "shared_buffers"/);
});
