import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  connected,
  forgetRepository,
  git,
  inForce,
  newRepository,
  panel,
  paying,
  policy,
  refresh,
  seen,
  start,
} from './support/gitops.js';

/** By the machine's time, on a crowded machine. */
const longMs = 120_000;

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

describe('a repository', { timeout: 300_000 }, () => {
  test('that has more than may be fetched is given up with its reason, and what was good stays in force', async () => {
    const tenant = await paying();
    const good = { 'a.yaml': policy('Encrypted') };
    const sha = await git.commit(good);
    const id = await connected(tenant);
    await inForce(tenant, id, sha);
    await git.commit({ ...good, 'large.bin': randomBytes(80_000_000) });
    await refresh(tenant, id);
    const large = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'it to be given up', longMs);
    expect(large).toMatchObject({
      lastSyncedCommit: sha,
      lastError: 'The repository is larger than 64 MB, or has too many files',
    });
    const files = Array.from({ length: 201 }, (_, at) => [`many/${at}.yaml`, policy(`P${at}`)]);
    await git.beginAnew();
    await git.commit(Object.fromEntries(files) as Record<string, string>, { force: true });
    await refresh(tenant, id);
    const many = await seen(tenant, id, ({ lastError }) => /201/.test(lastError ?? ''), 'its files', longMs);
    expect(many.lastSyncedCommit).toBe(sha);
  });

  test('whose host does not answer, or is not there, keeps nobody waiting, and other repositories are read', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const tenant = await paying();
    const dumb = await connected(tenant, { name: 'Silent', repoUrl: `http://127.0.0.1:${port}/fleet.git` });
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    closed.close();
    const gone = await connected(tenant, { name: 'Gone', repoUrl: `http://127.0.0.1:${free}/fleet.git` });
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    await inForce(tenant, await connected(tenant), sha);
    const failed = async (id: string) =>
      (await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'an end', longMs)).lastError;
    expect(await failed(gone)).toBe('The repository could not be reached');
    expect(await failed(dumb)).toBe('The repository was not read within 20 s');
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
