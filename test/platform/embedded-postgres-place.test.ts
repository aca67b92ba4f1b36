import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, expect, test } from 'vitest';

import { relocatedHome } from '#platform/database/embedded/location.js';

import { EmbeddedServers, isRoot, keep, kept, precious, query } from './support/embedded-servers.js';

const servers = new EmbeddedServers();
afterEach(async () => servers.clear());
afterAll(async () => servers.end());

test('a folder with files of somebody else is refused and left as it is', async () => {
  const dataDir = servers.temporaryFolder();
  const folder = join(dataDir, 'postgres');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.txt'), 'years of work');
  await expect(servers.start(dataDir)).rejects.toThrow(
    /postgres holds files that are not a database of this panel/,
  );
  expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  expect(statSync(folder).uid).toBe(process.getuid?.());
});

test('a cluster whose password is lost is refused and left as it is', async () => {
  const dataDir = await servers.madeFolder();
  await (await servers.start(dataDir)).stop();
  rmSync(join(dataDir, 'postgres.json'));
  await expect(servers.start(dataDir)).rejects.toThrow(/postgres.json is missing/);
  expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
});

test('a cluster that vanished is reported, not replaced by an empty one', async () => {
  const dataDir = await servers.madeFolder();
  await (await servers.start(dataDir)).stop();
  rmSync(join(dataDir, 'postgres'), { recursive: true });
  await expect(servers.start(dataDir)).rejects.toThrow(/is gone/);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
});

test('a cluster that an interrupted start left half-made is made again', async () => {
  const dataDir = servers.temporaryFolder();
  mkdirSync(join(dataDir, 'postgres', 'base'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
  writeFileSync(join(dataDir, 'postgres.unfinished'), '');
  const server = await servers.start(dataDir);
  expect(server.outcome).toBe('initialised');
  expect(await query(server.url('postgres'), 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a cluster that was in use is never removed, whatever marker lies beside it', async () => {
  const dataDir = await servers.madeFolder();
  const first = await servers.start(dataDir);
  await keep(first.url('postgres'));
  await first.stop();
  const marker = join(dataDir, 'postgres.unfinished');
  writeFileSync(marker, '');
  await expect(servers.start(dataDir)).rejects.toThrow(/has been in use/);
  rmSync(marker);
  expect(await kept((await servers.start(dataDir)).url('postgres'))).toEqual(precious);
});

test('another port is chosen and kept when the old one is taken', async () => {
  const dataDir = await servers.madeFolder();
  const first = await servers.start(dataDir);
  await first.stop();
  const squatter = createServer().listen(first.port, '127.0.0.1');
  servers.later(() => squatter.close());
  await once(squatter, 'listening');

  const second = await servers.start(dataDir);
  expect(second.port).not.toBe(first.port);
  await second.stop();
  expect((await servers.start(dataDir)).port).toBe(second.port);
});

test('a port that was insisted on and is taken is a clear failure', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  servers.later(() => squatter.close());
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  await expect(servers.start(servers.temporaryFolder(), { port })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is in use`,
  );
});

test.runIf(isRoot)(
  'what root starts for a moment leaves its owner all that the next start reads',
  async () => {
    const dataDir = await servers.madeFolder();
    const { uid, gid } = statSync(join(dataDir, 'postgres'));
    for (const name of readdirSync(dataDir)) chownSync(join(dataDir, name), uid, gid);
    // Large enough to be set aside.
    truncateSync(join(dataDir, 'postgres.log'), 17 * 1024 * 1024);
    await (await servers.start(dataDir)).stop();
    const ofOthers = readdirSync(dataDir).filter((name) => statSync(join(dataDir, name)).uid !== uid);
    expect(ofOthers).toEqual([]);
  },
);

test.runIf(isRoot)(
  'as root below a private folder the database is kept where the postgres user can reach it',
  async () => {
    const home = servers.temporaryFolder();
    chmodSync(home, 0o700);
    const dataDir = join(home, 'data');
    const elsewhere = relocatedHome(dataDir);
    servers.later(() => rmSync(elsewhere, { recursive: true, force: true }));
    const first = await servers.start(dataDir);
    await keep(first.url('postgres'));
    await first.stop();
    expect(existsSync(join(elsewhere, 'postgres', 'PG_VERSION'))).toBe(true);
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);

    // It stays there even when the folder is opened later on.
    chmodSync(dirname(dataDir), 0o711);
    const second = await servers.start(dataDir);
    expect(second.outcome).toBe('started');
    expect(await kept(second.url('postgres'))).toEqual(precious);
  },
);
