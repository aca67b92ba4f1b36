import 'reflect-metadata';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Connections, defaultConnections } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import { isPassing, sqlCodeOf } from '#platform/database/outage.js';
import { patience, waits, withPatience, type Patience } from '#platform/database/patience.js';
import { systemPrepared, systemStatement } from '#platform/database/system-em.js';
import { silentLogger } from '#platform/logger.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ DATABASE_CONNECTIONS: String(defaultConnections) });
});
afterAll(async () => panel.stop());

/** Connections of the panel by their name, as the server lists them. */
async function connected(): Promise<Record<string, number>> {
  const rows = await panel.sql<{ name: string; count: number }>(
    `select application_name as name, count(*)::int as count from pg_stat_activity
     where datname = current_database() and usename = 'panel_app' group by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** `work` with as many connections to the panel's database as given, closed after it. */
async function withConnections<T>(
  size: number,
  work: (connections: Connections, fleet: Database) => Promise<T>,
): Promise<T> {
  const connections = new Connections(panel.database.url, { requests: size, background: size });
  const fleet = await Database.open({ area: 'fleet', connections, entities: [], logger: silentLogger });
  try {
    return await work(connections, fleet);
  } finally {
    await fleet.close();
    await connections.close();
  }
}

test('readiness is asked of who the address leads to now, and not for an hour of who took no writes then', async () => {
  const connections = new Connections(panel.database.url);
  const database = new URL(panel.database.url).pathname.slice(1);
  try {
    await panel.sql(`alter database "${database}" set default_transaction_read_only = on`);
    expect(await connections.problem()).toBe('the database takes no writes');
    await panel.sql(
      `set transaction_read_only = off; alter database "${database}" reset default_transaction_read_only`,
    );
    expect(await connections.problem()).toBeUndefined();
  } finally {
    await connections.close();
  }
});

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it was answered'),
    (error: Error) => error,
  );
}

describe('a process', () => {
  test('starts, makes its administrator and serves with as few connections as may be set', async () => {
    const small = await startTestPanel({ DATABASE_CONNECTIONS: '4' });
    try {
      const tenant = await small.world.tenant();
      expect((await tenant.rest('/api/fleet/instances')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('with all areas has twenty connections at most for what it does, whatever is asked of it at once', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    let most = 0;
    let isOver = false;
    const watch = (async () => {
      while (!isOver)
        most = Math.max(
          most,
          Object.values(await connected()).reduce((a, b) => a + b, 0),
        );
    })();
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => [
        (await tenant.rest('/api/fleet/instances')).status,
        (await tenant.rest('/api/fleet/tokens', { body: { name: `token ${at}` } })).status,
        (await node.beat()).status,
      ]),
    );
    isOver = true;
    await watch;
    expect(answers.flat().filter((status) => status >= 300)).toEqual([]);
    const { panel: pooled = 0, ...standing } = await connected();
    expect(standing).toEqual({ 'panel process': 1, 'panel presence': 1 });
    expect(pooled).toBeLessThanOrEqual(defaultConnections);
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(defaultConnections + 2);
  });

  test('is ready while all connections for requests are taken by what takes long, and has one more for saying so', async () => {
    const small = await startTestPanel({ DATABASE_CONNECTIONS: '4' });
    const held = new pg.Client({ connectionString: small.database.ownerUrl });
    try {
      const tenant = await small.world.tenant();
      await held.connect();
      await held.query('begin; lock table fleet.enrollment_token');
      const waiting = Array.from({ length: 4 }, async () =>
        tenant.rest('/api/fleet/tokens', { body: { name: 'waits' } }),
      );
      await until(async () => {
        const [row] = await small.sql<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity
           where datname = current_database() and application_name = 'panel' and wait_event_type = 'Lock'`,
        );
        return row?.count === 2;
      }, 'both connections for requests to wait');
      const readiness = await Promise.all(
        Array.from({ length: 5 }, async () => (await fetch(`${small.panel.url}/readyz`)).status),
      );
      expect(readiness).toEqual([200, 200, 200, 200, 200]);
      const own = await small.sql(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'panel readiness'`,
      );
      expect(own).toHaveLength(1);
      await held.query('commit');
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    } finally {
      await held.end();
      await small.stop();
    }
  });

  test('takes no more of them for each area', async () => {
    await withConnections(2, async (connections) => {
      const areas = ['identity', 'fleet', 'platform', 'identity', 'fleet'];
      const databases = await Promise.all(
        areas.map(async (area) => Database.open({ area, connections, entities: [], logger: silentLogger })),
      );
      await Promise.all(
        databases.flatMap((database) =>
          Array.from({ length: 5 }, async () => [
            await database.forTenant('org_1').execute('select 1'),
            await database.select('org_1', 'select 1', []),
          ]),
        ),
      );
      expect(connections.stats()).toEqual([
        { pool: 'requests', taken: 0, idle: 2, waiting: 0, max: 2 },
        { pool: 'background', taken: 0, idle: 0, waiting: 0, max: 2 },
      ]);
    });
  });

  test('runs each transaction as its own area, role and tenant, and leaves nothing of it on the connection', async () => {
    await withConnections(1, async (connections, fleet) => {
      const identity = await Database.open({
        area: 'identity',
        connections,
        entities: [],
        logger: silentLogger,
      });
      const who = `select current_user as role, coalesce(current_setting('app.tenant_id', true), '') as tenant`;
      const seen = [
        await fleet.forTenant('org_1').execute(who),
        await identity.forTenant('org_2').execute(who),
        await fleet.select('org_3', who, []),
        await systemStatement(fleet, who, []),
        await systemPrepared(fleet, who, []),
        await identity.anonymous().execute(who),
        (await connections.use(async (client) => client.query(who))).rows,
      ];
      expect(seen.flat()).toEqual([
        { role: 'fleet_app', tenant: 'org_1' },
        { role: 'identity_app', tenant: 'org_2' },
        { role: 'fleet_app', tenant: 'org_3' },
        { role: 'fleet_jobs', tenant: '' },
        { role: 'fleet_jobs', tenant: '' },
        { role: 'identity_app', tenant: '' },
        { role: 'panel_app', tenant: '' },
      ]);
    });
  });
});

describe('what waits has a deadline:', () => {
  const hasty: Patience = {
    part: 'requests',
    statement: 300,
    lock: 150,
    idleInTransaction: 300,
    answer: 1_000,
  };
  const inHaste = async (work: (fleet: Database, connections: Connections) => Promise<unknown>) =>
    withConnections(1, async (connections, fleet) =>
      failure(withPatience(hasty, async () => work(fleet, connections))),
    );

  test.each<[string, string, (fleet: Database) => Promise<unknown>]>([
    [
      'a statement of a transaction',
      '57014',
      async (fleet) => fleet.forTenant('org_1').execute('select pg_sleep(9)'),
    ],
    ['a read', '57014', async (fleet) => fleet.select('org_1', 'select pg_sleep(9)', [])],
    ['a statement of a job', '57014', async (fleet) => systemStatement(fleet, 'select pg_sleep(9)', [])],
    [
      'a transaction that does nothing',
      '25P03',
      async (fleet) =>
        fleet.forTenant('org_1').transactional(async (em) => {
          await em.execute('select 1');
          await new Promise((resolve) => setTimeout(resolve, 600));
          await em.execute('select 1');
        }),
    ],
  ])('%s', async (_, code, work) => {
    const error = await inHaste(work);
    // The server may have ended the connection before its word was read.
    expect([code, '']).toContain(sqlCodeOf(error));
    expect(isPassing(error)).toBe(true);
  });

  test('a lock', async () => {
    const holder = new pg.Client({ connectionString: panel.database.ownerUrl });
    await holder.connect();
    await holder.query('select pg_advisory_lock(77)');
    const error = await inHaste(async (fleet) =>
      fleet.forTenant('org_1').execute('select pg_advisory_xact_lock(77)'),
    );
    await holder.end();
    expect(sqlCodeOf(error)).toBe('55P03');
  });

  test('a server that never answers', async () => {
    const error = await withConnections(1, async (connections) =>
      failure(
        withPatience({ ...hasty, answer: 200 }, async () =>
          connections.use(async (client) => client.query('select pg_sleep(9)')),
        ),
      ),
    );
    expect([error.message, isPassing(error)]).toEqual(['PostgreSQL has not answered within 200 ms', true]);
  });

  test('a connection', async () => {
    const error = await withConnections(1, async (connections) =>
      connections.use(async () => failure(connections.take())),
    );
    expect([error.message, isPassing(error)]).toEqual(['timeout exceeded when trying to connect', true]);
  });

  test('the end of a process whose statement does not end', async () => {
    const connections = new Connections(panel.database.url, { requests: 1, background: 1 });
    const statements = Array.from({ length: 5 }, async () =>
      failure(connections.use(async (client) => client.query('select pg_sleep(60)'))),
    );
    await until(
      async () => connections.stats()[0]!.waiting === 4,
      'the statement to run, and others to wait',
    );
    const from = performance.now();
    await connections.close(100);
    const errors = await Promise.all(statements);
    expect(performance.now() - from).toBeLessThan(waits.connect);
    expect(errors.map(isPassing)).toEqual(errors.map(() => true));
  });

  test('background work keeps no request from its connection', async () => {
    await withConnections(1, async (connections, fleet) => {
      const slow = withPatience(patience.long, async () => fleet.forJobs().execute('select pg_sleep(1)'));
      await until(async () => connections.stats()[1]!.taken === 1, 'the sweep to run');
      const order: string[] = [];
      await Promise.all([
        slow.then(() => order.push('sweep')),
        fleet.select('org_1', 'select 1', []).then(() => order.push('request')),
      ]);
      expect(order).toEqual(['request', 'sweep']);
    });
  });
});
