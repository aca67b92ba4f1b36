import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { crowdedMs, lookKind, mostAtHosts, mostOfTenant } from '#subgraphs/governance/gitops/sync/kinds.js';

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
afterEach(async () => {
  // No other test meets looks at these.
  await panel.sql('update governance.gitops_config set is_paused = true, next_check_at = null');
  await forgetRepository();
});

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

  test('whose pack of some kilobytes unfolds to what has no room in memory is given up with its reason', async () => {
    const tenant = await paying();
    const large = Buffer.alloc(70_000_000);
    await git.commit({
      'a.yaml': policy('Encrypted'),
      'a.bin': large,
      'b.bin': Buffer.concat([large, large.subarray(0, 9)]),
    });
    await git.packDifferences();
    const id = await connected(tenant);
    const given = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'it to be given up', longMs);
    expect(given).toMatchObject({
      lastSyncedCommit: null,
      lastError: 'The repository has a file that is larger than 64 MB',
    });
  });

  test('whose host does not answer, or is not there, keeps nobody waiting, neither of its tenant nor of others, however many of them are named', async () => {
    await using silent = await silentHost();
    const other = await paying();
    const hosts = atOnce + 2;
    const ids: string[] = [];
    for (let at = 0; at < hosts; at += 1)
      ids.push(await connected(other, { name: `Silent ${at}`, repoUrl: `${silent.url}/${at}.git` }));
    await until(async () => silent.sockets.length >= mostOfTenant, 'silent hosts to be asked', longMs);
    const tenant = await paying();
    const dumb = await connected(tenant, { name: 'Silent', repoUrl: `${silent.url}/fleet.git` });
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    closed.close();
    const gone = await connected(tenant, { name: 'Gone', repoUrl: `http://127.0.0.1:${free}/fleet.git` });
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await seen(tenant, id, ({ lastSyncedCommit }) => lastSyncedCommit === sha, 'it to be in force', longMs);
    // Had it waited for hands, all that a process has would have come to an end at a silent host before.
    expect((await degraded()).filter((each) => ids.includes(each)).length).toBeLessThanOrEqual(mostOfTenant);
    const failed = async (which: string) =>
      (await seen(tenant, which, ({ health }) => health === 'DEGRADED', 'an end', longMs)).lastError;
    expect(await failed(gone)).toBe('The repository could not be reached');
    await ended([dumb]);
    expect(await failed(dumb)).toBe('The repository was not read within 20 s');
    // The others have their turn all the same.
    await asked(silent, mostOfTenant + 2);
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
    const ids = named.map(([, id]) => id);
    await until(async () => silent.sockets.length >= mostAtHosts.unknown, 'silent hosts to be asked', longMs);

    // Nothing is known of the hosts yet: whoever was read before has the rest of the room.
    const next = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    await refresh(reader, read);
    await inForce(reader, read, next);
    expect((await degraded()).filter((each) => ids.includes(each))).toEqual([]);
    expect(silent.sockets.length).toBe(mostAtHosts.unknown);

    // Once they are known to be silent, a repository that is new is read at once too.
    await until(async () => (await known(ids)) === mostAtHosts.unknown, 'silent hosts to be known', longMs);
    await panel.sql('update governance.gitops_config set is_host_silent = true where id = any($1)', [ids]);
    for (const [tenant, id] of named) await refresh(tenant, id);
    await asked(silent, mostAtHosts.unknown + mostAtHosts.silent);
    const tenant = await paying();
    const id = await connected(tenant);
    await inForce(tenant, id, next);
    expect(silent.sockets.length).toBe(mostAtHosts.unknown + mostAtHosts.silent);
  });
});

/** The repositories that could not be read, of whoever it is. */
async function degraded(): Promise<string[]> {
  const rows = await panel.sql<{ id: string }>(
    `select id from governance.gitops_config where health = 'DEGRADED'`,
  );
  return rows.map(({ id }) => id);
}

/** Of how many it is known that their hosts say nothing. */
async function known(ids: readonly string[]): Promise<number> {
  const rows = await panel.sql('select from governance.gitops_config where id = any($1) and is_host_silent', [
    ids,
  ]);
  return rows.length;
}

/** Waits until looks at these have ended, which a silent host lets take 20 s of the machine's time. */
async function ended(ids: readonly string[]): Promise<void> {
  await until(
    async () => {
      const all = await degraded();
      return ids.every((id) => all.includes(id));
    },
    'looks at silent hosts to end',
    longMs,
  );
}

/** Waits until the host was asked as often: looks for which there was no room are tried again seconds later. */
async function asked({ sockets }: { sockets: readonly Socket[] }, times: number): Promise<void> {
  let looks = 0;
  await until(
    async () => {
      if (looks % 10 === 0) await panel.clock.leap(crowdedMs);
      looks += 1;
      return sockets.length >= times;
    },
    `the host to be asked ${times} times`,
    longMs,
  );
}
