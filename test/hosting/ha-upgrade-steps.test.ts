import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

interface Upgrade {
  id: string;
  status: string;
  reason: string | null;
  steps: { node: string; status: string }[];
}

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ NODE_NAME: 'self', PANEL_VERSION: '2.0.0' });
});
afterAll(async () => {
  await Promise.all([...sessions.values()].map(async (session) => session.end()));
  await panel.stop();
});

// The class of the locks by which processes say that they live.
const aliveClass = 0x51_5b;
const sessions = new Map<string, pg.Client>();

/** A process of the panel as the database sees it: its row, and the lock of its session. */
async function comes(id: string, version: string, startedAt: string): Promise<void> {
  const session = new pg.Client({ connectionString: panel.database.ownerUrl });
  await session.connect();
  sessions.set(id, session);
  await session.query('select pg_advisory_lock_shared($1, hashtext($2) & 2147483647)', [aliveClass, id]);
  await session.query(
    `insert into platform.process (id, node_name, version, address, areas, state, started_at, beat_at)
     values ($1, $2, $3, 'there:1', '{fleet}', 'running', ${startedAt}, now() + interval '1 hour')`,
    [id, id.split('/')[0], version],
  );
}

/** As with kill -9, ten seconds ago. */
async function dies(id: string): Promise<void> {
  await sessions.get(id)!.end();
  sessions.delete(id);
  await panel.sql(`update platform.process set beat_at = now() - interval '11 seconds' where id = $1`, [id]);
}

async function graphql<Data>(query: string): Promise<Data> {
  const { data, errors } = await panel.world.graphql<Data>(query, {}, await panel.world.administrator());
  if (errors) throw new Error(JSON.stringify(errors));
  return data!;
}

async function latest(): Promise<Upgrade> {
  const query = '{ haUpgrades(first: 1) { id status reason steps { node status } } }';
  return (await graphql<{ haUpgrades: Upgrade[] }>(query)).haUpgrades[0]!;
}
const shown = async () => {
  const { status, steps } = await latest();
  return [status, ...steps.map((step) => `${step.node} ${step.status}`)];
};

/** Sweeps run as the panel's clock moves. */
async function untilShown(...wanted: string[]): Promise<void> {
  await until(
    async () => {
      await panel.clock.advance(1_000);
      return JSON.stringify(await shown()) === JSON.stringify(wanted);
    },
    `${wanted.join(', ')}`,
    60_000,
  );
}

const toldOf = async (id: string) =>
  (await panel.sql<{ told: string | null }>('select told from platform.process where id = $1', [id]))[0]?.told;
const resume = async (id: string) =>
  graphql(`mutation { resumeUpgrade(input: { id: "${id}" }) { status } }`);

test('nobody is told to end while another is away, or before the one that came back has stayed; one that crashes again pauses the upgrade', async () => {
  const long = `now() - interval '1 hour'`;
  await until(async () => {
    const { haNodes } = await graphql<{ haNodes: { epoch: number | null }[] }>('{ haNodes { epoch } }');
    return haNodes[0]?.epoch != null;
  }, 'the leases');
  await panel.sql(`update platform.process set started_at = ${long} where node_name = 'self'`);
  await comes('a/1', '1.0.0', long);
  await comes('b/1', '1.0.0', long);
  await graphql('mutation { startUpgrade(input: { version: "2.0.0" }) { id } }');
  await dies('b/1');
  await untilShown('PAUSED', 'a PENDING', 'b PENDING', 'self HEALTHY');
  const { id, reason } = await latest();
  expect([reason, await toldOf('a/1')]).toEqual(['b is not there', null]);

  await comes('b/2', '1.0.0', long);
  await resume(id);
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self HEALTHY');
  expect([await toldOf('a/1'), await toldOf('b/2')]).toEqual(['restart', null]);

  await dies('a/1');
  await comes('a/2', '2.0.0', `now() + interval '1 hour'`);
  await untilShown('RUNNING', 'a HEALTHY', 'b PENDING', 'self HEALTHY');
  for (let second = 0; second < 5; second += 1) {
    await panel.clock.advance(1_000);
    expect((await shown())[2]).toBe('b PENDING');
  }
  await dies('a/2');
  // Who supervises it has started it anew meanwhile, and it will crash again.
  await comes('a/3', '2.0.0', 'now()');
  await untilShown('PAUSED', 'a FAILED', 'b PENDING', 'self HEALTHY');
  expect([(await latest()).reason, await toldOf('b/2')]).toEqual([
    'a ended again after it had come back',
    null,
  ]);

  await resume(id);
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self HEALTHY');
  expect(await toldOf('a/3')).toBe('restart');
  await dies('a/3');
  await comes('a/4', '2.0.0', long);
  await untilShown('RUNNING', 'a HEALTHY', 'b DRAINING', 'self HEALTHY');
  await dies('b/2');
  await comes('b/3', '2.0.0', `now() + interval '1 hour'`);
  await untilShown('RUNNING', 'a HEALTHY', 'b HEALTHY', 'self HEALTHY');
  await dies('b/3');
  await untilShown('PAUSED', 'a HEALTHY', 'b FAILED', 'self HEALTHY');
  await comes('b/4', '2.0.0', long);
  await resume(id);
  await untilShown('RUNNING', 'a HEALTHY', 'b DRAINING', 'self HEALTHY');
  await dies('b/4');
  await comes('b/5', '2.0.0', long);
  await untilShown('SUCCEEDED', 'a HEALTHY', 'b HEALTHY', 'self HEALTHY');
}, 300_000);
