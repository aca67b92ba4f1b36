import { spawnSync } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { missingPackages } from '../../tools/cluster/programs.js';
import { createDataDir } from '../support/data-dir.js';
import { runCluster } from './support/cluster-process.js';

// In CI missing programs are a failure; elsewhere the test is left out, which the report says.
const isTried = missingPackages().length === 0 || process.env['CI'] !== undefined;

test('a cluster without its programs says which Debian packages it lacks, and makes nothing', async () => {
  const dataDir = join(tmpdir(), `none-${randomUUID()}`);
  const cluster = runCluster({ PATH: '/nowhere', DATA_DIR: dataDir });
  expect(await cluster.ended).toBe(1);
  expect(cluster.output).toMatch(/apt-get install .*etcd-server patroni .*redis-server/);
  expect(existsSync(dataDir)).toBe(false);
});

test('a drill of a fault that there is none of names those that there are, and makes nothing', async () => {
  const dataDir = join(tmpdir(), `none-${randomUUID()}`);
  const cluster = runCluster({ DATA_DIR: dataDir }, ['drill', 'switchover', 'earthquake']);
  expect(await cluster.ended).toBe(1);
  expect(cluster.output).toMatch(/faults, all unless named: switchover kill-postgres .*lose-redis/);
  expect(existsSync(dataDir)).toBe(false);
});

test.skipIf(!isTried)(
  'the cluster starts from nothing, a switchover moves its primary, and Ctrl-C leaves nothing running',
  async () => {
    const dataDir = createDataDir();
    // Below those that the system gives to whoever asks for any, as other tests do.
    const port = randomInt(20_000, 32_000);
    const at = (offset: number) => `http://127.0.0.1:${port + offset}`;
    const cluster = runCluster({ DATA_DIR: dataDir, PORT: String(port) });
    try {
      await cluster.said('Ctrl-C stops all of it');
      expect(cluster.output).toContain(`http://localhost:${port}/setup#token=`);
      expect((await fetch(`${at(0)}/readyz`)).status).toBe(200);

      const members = async () => ((await (await fetch(`${at(51)}/cluster`)).json()) as Told).members;
      const roles = (await members()).map(({ role }) => role).sort();
      expect(roles).toEqual(['leader', 'replica', 'sync_standby']);
      const secret = (name: string) => readFileSync(join(dataDir, 'cluster', 'secrets', name), 'utf8');
      const role = async (from: number) =>
        spawnSync(
          'psql',
          ['-Atc', 'select pg_is_in_recovery()', '-h', '127.0.0.1', '-p', String(port + from)],
          {
            env: {
              PATH: process.env['PATH'],
              PGUSER: 'panel_app',
              PGDATABASE: 'panel',
              PGPASSWORD: secret('app_password'),
            },
          },
        ).stdout.toString();
      expect([await role(10), await role(11), await role(12)]).toEqual(['f\n', 't\n', 'f\n']);

      const leader = (await members()).find((member) => member.role === 'leader')!.name;
      const candidate = (await members()).find((member) => member.role === 'sync_standby')!.name;
      const ask = (headers: Record<string, string>) =>
        fetch(`${at(51)}/switchover`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ leader, candidate }),
        });
      expect((await ask({})).status).toBe(401);
      const password = Buffer.from(`patroni:${secret('patroni_password')}`).toString('base64');
      expect((await ask({ authorization: `Basic ${password}` })).status).toBe(200);
      await expect.poll(async () => (await fetch(`${at(0)}/readyz`)).status, { timeout: 60_000 }).toBe(200);
      await expect.poll(() => role(10), { timeout: 60_000 }).toBe('f\n');
      expect((await members()).find((member) => member.role === 'leader')!.name).toBe(candidate);

      expect(await cluster.kill('SIGINT')).toBe(0);
      expect(spawnSync('pgrep', ['-af', dataDir]).stdout.toString()).toBe('');
    } finally {
      await cluster.kill('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  400_000,
);

interface Told {
  members: { name: string; role: string }[];
}
