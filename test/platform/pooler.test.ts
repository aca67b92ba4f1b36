import pg from 'pg';
import { inject, test, expect, beforeAll, afterAll, describe } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { createLogger } from '#platform/logger.js';

import { settled, verify } from '../identity/audit/support.js';
import { Live } from '../support/live.js';
import { createTestDatabase, startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { hasPgbouncer, TestPooler } from '../support/pooler.js';
import { until } from '../support/world.js';

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgres').ownerUrl });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

// In CI a missing pgbouncer is a failure; elsewhere these are left out, which the report says.
describe.skipIf(!hasPgbouncer && process.env['CI'] === undefined)('behind pgbouncer, by transaction', () => {
  let pooler: TestPooler;
  let panel: TestPanel;
  beforeAll(async () => {
    const { ownerUrl, password } = inject('postgres');
    const { hostname: host, port } = new URL(ownerUrl);
    pooler = await TestPooler.start({ host, port: Number(port), login: { name: 'panel_app', password } });
    const database = await createTestDatabase();
    panel = await startTestPanel(
      { DATABASE_URL: pooler.through(database.url), DATABASE_DIRECT_URL: database.url },
      'in process',
      database,
    );
  });
  afterAll(async () => {
    await panel.stop();
    await pooler[Symbol.asyncDispose]();
  });

  test('requests go through it; events, jobs and leases do not need it', async () => {
    const before = await pooler.transactions();
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    await using live = new Live(panel.panel.url, tenant.token, 'subscription { instanceChanged { name } }');
    await live.opened();
    const node = await tenant.node('pooled');
    expect((await node.beat()).status).toBe(200);
    await live.received(1);
    const { body } = await tenant.rest('/api/fleet/instances');
    expect(body).toMatchObject([{ name: 'pooled', status: 'healthy' }]);
    await settled(panel, tenant.id);
    expect(await verify(tenant)).toMatchObject({ isIntact: true });
    expect(await pooler.transactions()).toBeGreaterThan(before + 10);
    const [held] = await panel.sql<{ count: number }>(
      'select count(*)::int as count from platform.lease where expires_at > now()',
    );
    expect(held!.count).toBe(5);
    // Notifications come on a session of their own, which has no pooler in its way.
    const listening = await panel.sql<{ query: string }>(
      `select query from pg_stat_activity where application_name = 'panel process' and datname = current_database()`,
    );
    expect(listening.length).toBeGreaterThan(0);
  });

  test('tenants at once on few server connections see their own rows only', async () => {
    const tenants = await Promise.all([1, 2, 3].map(async () => panel.world.tenant()));
    const names = tenants.map(({ id }) => [`a-${id.slice(-8)}`, `b-${id.slice(-8)}`]);
    await Promise.all(
      tenants.map(async (tenant, at) => Promise.all(names[at]!.map(async (name) => tenant.node(name)))),
    );
    await Promise.all(
      Array.from({ length: 30 }, async (_, turn) => {
        const at = turn % tenants.length;
        const { body } = await tenants[at]!.rest<{ name: string }[]>('/api/fleet/instances');
        expect(body.map(({ name }) => name).toSorted()).toEqual(names[at]);
      }),
    );
    const [left] = await panel.sql<{ roles: number }>(
      `select count(*)::int as roles from pg_stat_activity where usename <> 'panel_app' and application_name = 'panel'`,
    );
    expect(left!.roles).toBe(0);
  });

  test('a panel that is told of the pooler alone says so', async () => {
    const database = await createTestDatabase();
    const lines: string[] = [];
    const logger = createLogger('warn', { write: (line: string) => void lines.push(line) });
    const started = await startPanel({
      ...panelOptions({
        DATABASE_URL: pooler.through(database.url),
        SECRETS_KEY: testSecretsKey,
        PORT: '0',
        HOST: '127.0.0.1',
        DRAIN_SECONDS: '0',
        PUBLIC_URL: 'http://panel.test',
      }),
      logger,
    });
    await started.stop();
    await database.drop();
    expect(lines.join('')).toContain('set DATABASE_DIRECT_URL to the server itself');
  });

  test('a pooler of which the server is away answers 503, and all goes on when it is back', async () => {
    const tenant = await panel.world.tenant();
    const { name } = panel.database;
    await onServer(`alter database ${name} with allow_connections false`);
    await onServer(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename = 'panel_app'`,
    );
    await until(
      async () => (await tenant.rest('/api/fleet/instances')).status === 503,
      'the outage to be noticed',
    );
    await onServer(`alter database ${name} with allow_connections true`);
    await until(
      async () => (await tenant.rest('/api/fleet/instances')).status === 200,
      'the way back',
      60_000,
    );
    expect((await tenant.rest('/api/fleet/instances')).body).toEqual([]);
  });
});
