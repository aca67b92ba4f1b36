import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { lookKind, mostAtHosts, mostOfTenant } from '#subgraphs/governance/gitops/sync/kinds.js';

import { until, type Tenant } from '../support/world.js';
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
  shown,
  start,
} from './support/gitops.js';

const { atOnce = 0 } = lookKind;

/** By the machine's time, on a crowded machine. */
const longMs = 120_000;

/** A host that takes connections and says nothing. */
async function silentHost(): Promise<{ url: string; sockets: Socket[] } & AsyncDisposable> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

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
    await using silent = await silentHost();
    const tenant = await paying();
    const dumb = await connected(tenant, { name: 'Silent', repoUrl: `${silent.url}/fleet.git` });
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
  });

  test('is put into force at once though another tenant names more silent hosts than looks are made at a time', async () => {
    await using silent = await silentHost();
    const other = await paying();
    const hosts = atOnce + 2;
    const ids: string[] = [];
    for (let at = 0; at < hosts; at += 1)
      ids.push(await connected(other, { name: `Silent ${at}`, repoUrl: `${silent.url}/${at}.git` }));
    await until(async () => silent.sockets.length >= mostOfTenant, 'silent hosts to be asked', longMs);
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await seen(tenant, id, ({ lastSyncedCommit }) => lastSyncedCommit === sha, 'it to be in force', longMs);
    // Had it waited for hands, all that a process has would have come to an end at a silent host before.
    const ended = await Promise.all(
      ids.map(async (each) => (await shown(other, each)).health === 'DEGRADED'),
    );
    expect(ended.filter(Boolean).length).toBeLessThanOrEqual(mostOfTenant);
    // The others have their turn all the same.
    await until(
      async () => {
        await panel.clock.advance(2_000);
        return silent.sockets.length > mostOfTenant;
      },
      'the next ones to be asked',
      longMs,
    );
  });

  test('is put into force at once though silent hosts of many tenants wait for a look', async () => {
    await using silent = await silentHost();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const reader = await paying();
    const read = await connected(reader);
    await inForce(reader, read, sha);
    const named: [Tenant, string][] = [];
    for (let tenants = 0; named.length <= atOnce; tenants += 1) {
      const other = await paying();
      for (let at = 0; at < mostOfTenant; at += 1) {
        const repoUrl = `${silent.url}/${tenants}-${at}.git`;
        named.push([other, await connected(other, { name: `Silent ${at}`, repoUrl })]);
      }
    }
    const asked = async () => {
      const all = await Promise.all(named.map(async ([tenant, id]) => shown(tenant, id)));
      return named.filter((_, at) => all[at]!.health === 'DEGRADED');
    };
    await until(async () => silent.sockets.length >= mostAtHosts.unknown, 'silent hosts to be asked', longMs);

    // Nothing is known of the hosts yet: whoever was read before has the rest of the room.
    const next = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    await refresh(reader, read);
    await inForce(reader, read, next);
    expect(await asked()).toEqual([]);

    // Once they are known to be silent, a repository that is new is read at once too.
    await until(
      async () => {
        await panel.clock.advance(2_000);
        return (await asked()).length === named.length;
      },
      'all silent hosts to be known',
      longMs,
    );
    const before = silent.sockets.length;
    for (const [tenant, id] of named) await refresh(tenant, id);
    await until(
      async () => silent.sockets.length - before >= mostAtHosts.silent,
      'them to be asked again',
      longMs,
    );
    const tenant = await paying();
    const id = await connected(tenant);
    await inForce(tenant, id, next);
    expect(silent.sockets.length - before).toBe(mostAtHosts.silent);
  });
});
