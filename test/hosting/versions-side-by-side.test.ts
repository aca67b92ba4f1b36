import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { TestClock } from '../support/clock.js';
import { call } from '../support/http.js';
import { Live } from '../support/live.js';
import { NextVersion } from '../support/next-version.js';
import {
  createTestDatabase,
  startTestPanel,
  testAdministrator,
  testSecretsKey,
  type TestDatabase,
} from '../support/panel.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { ordinaryBeat, until, World } from '../support/world.js';

interface Node {
  name: string;
  status: string;
  outdatedBy: string | null;
  leases: unknown[];
}

// The next version adds a column, its own way of doing without it, and in the end takes it away again.
const steps = `
  migration('900_racks', "alter table fleet.instance add column rack text not null default 'none'",
    'create index instance_rack on fleet.instance (tenant_id, rack)'),
  migration('901_without_racks'),
  contract('902_racks_are_gone', ['900_racks', '901_without_racks'], 'alter table fleet.instance drop column rack')`;

// Redis is what lets panels be several; .ci/run installs it.
describe.skipIf(!hasRedis && process.env['CI'] === undefined)(
  'a version and the next one on one database',
  () => {
    let redis: TestRedis;
    let database: TestDatabase;
    let owner: pg.Client;
    let next: NextVersion;
    const started: PanelProcess[] = [];
    beforeAll(async () => {
      redis = await TestRedis.start();
      database = await createTestDatabase();
      owner = new pg.Client({ connectionString: database.ownerUrl });
      await owner.connect();
      next = NextVersion.with(steps);
    });
    afterAll(async () => {
      await Promise.all(started.map(async (process) => process.kill('SIGKILL')));
      await owner.end();
      await database.drop();
      await redis[Symbol.asyncDispose]();
      next[Symbol.dispose]();
    });

    async function starts(
      node: string,
      more: Record<string, string> = {},
      root?: string,
    ): Promise<PanelProcess> {
      const process = new PanelProcess(
        await freePort(),
        {
          DATABASE_URL: database.url,
          SECRETS_KEY: testSecretsKey,
          PUBLIC_URL: 'http://panel.test',
          REDIS_URL: redis.url,
          ADMIN_EMAIL: testAdministrator.email,
          ADMIN_PASSWORD: testAdministrator.password,
          NODE_NAME: node,
          PANEL_VERSION: root === undefined ? '1.0.0' : '2.0.0',
          LOG_LEVEL: 'warn',
          DRAIN_SECONDS: '1',
          ...more,
        },
        root,
      );
      started.push(process);
      return process.ready();
    }
    const applied = async () =>
      (
        await owner.query<{ name: string }>(
          `select name from fleet.migration where name like '90%' order by 1`,
        )
      ).rows.map(({ name }) => name);
    async function nodes(url: string): Promise<Node[]> {
      const { data } = await new World(url, new TestClock()).graphql<{ haNodes: Node[] }>(
        '{ haNodes { name status outdatedBy leases { name } } }',
        {},
        await new World(url, new TestClock()).administrator(),
      );
      return data!.haNodes;
    }

    test('both answer while the next one migrates and afterwards; what the old one needs is taken away once it is gone', async () => {
      const old = await starts('old');
      const world = new World(old.url, new TestClock());
      const tenant = await (await world.tenant()).grantPlan('PRO');
      const node = await tenant.node('first');
      const urls = [old.url];
      const answers = new Map<string, number>();
      const over = new AbortController();
      const load = async (path: string, options: Parameters<typeof call>[1]) => {
        for (let turn = 0; !over.signal.aborted; turn += 1) {
          const outcome = await call(`${urls[turn % urls.length]}${path}`, options).then(
            ({ status }) => String(status),
            String,
          );
          answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
          await sleep(100);
        }
      };
      const loads = [
        load('/api/fleet/instances', { token: tenant.token }),
        load('/api/agent/heartbeat', {
          token: node.credential,
          body: ordinaryBeat,
        }),
      ];
      await until(async () => (answers.get('200') ?? 0) > 5, 'the load to begin');

      const newer = await starts('new', { DATABASE_OWNER_URL: database.ownerUrl }, next.root);
      urls.push(newer.url);
      expect(await applied()).toEqual(['900_racks', '901_without_racks']);
      const put = newer.output.split('\n').find((line) => line.includes('is put off'))!;
      expect(JSON.parse(put)).toMatchObject({
        area: 'fleet',
        step: '902_racks_are_gone',
        waitsFor: ['old (1.0.0)'],
      });
      // What is written through one is told by the other.
      const names = 'subscription { instanceChanged { name } }';
      for (const [name, by, at] of [
        ['by-the-new-one', newer, old],
        ['by-the-old-one', old, newer],
      ] as const) {
        await using live = new Live(at.url, tenant.token, names);
        await live.opened();
        await tenant.at(new World(by.url, new TestClock())).node(name);
        await live.untilLatest(({ results }) =>
          results.some(
            ({ data }) => (data as { instanceChanged: { name: string } }).instanceChanged.name === name,
          ),
        );
      }
      expect((await nodes(newer.url)).map(({ outdatedBy }) => outdatedBy)).toEqual([null, null]);
      // Asked again, it waits on.
      const settings = { DATABASE_OWNER_URL: database.ownerUrl, LOG_LEVEL: 'warn' };
      const refused = await runProgram('migrate', settings, { root: next.root });
      expect([refused.code, refused.output]).toEqual([
        0,
        expect.stringContaining('"waitsFor":["old (1.0.0)"]'),
      ]);
      expect(await applied()).toHaveLength(2);

      urls.shift();
      old.signal('SIGTERM');
      expect(await old.ended).toBe(0);
      const done = await runProgram('migrate', settings, { root: next.root });
      expect([done.code, done.output]).toEqual([0, expect.stringContaining('fleet: 902_racks_are_gone')]);
      over.abort();
      await Promise.all(loads);
      expect([...answers.keys()]).toEqual(['200']);

      const late = await starts('late');
      const told = 'fleet 902_racks_are_gone';
      const ready = await call<{ problems: string[] }>(`${late.url}/readyz`);
      expect([ready.status, ready.body.problems]).toEqual([
        503,
        [`this version is too old for the database, which has had ${told}: start a newer one`],
      ]);
      const shown = await nodes(newer.url);
      expect(shown.find(({ name }) => name === 'late')).toEqual({
        name: 'late',
        status: 'DRAINING',
        outdatedBy: told,
        leases: [],
      });
      expect(shown.find(({ name }) => name === 'new')).toMatchObject({ status: 'HEALTHY', outdatedBy: null });
      expect((await call(`${newer.url}/readyz`)).status).toBe(200);
    }, 240_000);
  },
);

test('a process that is overtaken by a contract is not ready from then on, gives its leases up, and is told of', async () => {
  await using panel = await startTestPanel({ NODE_NAME: 'overtaken' });
  const held = async () => (await panel.sql(`select from platform.lease where expires_at > now()`)).length;
  await until(async () => (await held()) > 0, 'the leases');
  expect((await panel.world.rest('/readyz')).status).toBe(200);
  await panel.sql(
    `insert into platform.contract (area, step, needs) values ('fleet', '999_gone', array['fleet/998_without'])`,
  );
  await until(async () => (await panel.world.rest('/readyz')).status === 503, 'it to be not ready');
  await until(async () => (await held()) === 0, 'its leases to be given up');
  const { data } = await panel.world.graphql<{ haNodes: Node[]; haStatus: { reasons: { code: string }[] } }>(
    '{ haNodes { name status outdatedBy leases { name } } haStatus { reasons { code } } }',
    {},
    await panel.world.administrator(),
  );
  expect(data!.haNodes).toEqual([
    { name: 'overtaken', status: 'DRAINING', outdatedBy: 'fleet 999_gone', leases: [] },
  ]);
  expect(data!.haStatus.reasons.map(({ code }) => code)).toEqual(['NODE_OUTDATED', 'LEASES_FREE']);
});
