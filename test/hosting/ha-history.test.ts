import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ NODE_NAME: 'one' });
});
afterAll(async () => {
  await panel.stop();
});

const change = async (kind: string, from: string | null, to: string, daysAgo: number) =>
  panel.sql(
    `insert into platform.ha_change (kind, from_name, to_name, epoch, occurred_at)
     values ($1, $2, $3, 1, now() - make_interval(days => $4))`,
    [kind, from, to, daysAgo],
  );
const upgrade = async (id: string, status: string, daysAgo: number) => {
  await panel.sql(
    `insert into platform.upgrade (id, version, status, asked_by, created_at, updated_at)
     values ($1, '2.0.0', $2, 'usr_a', now() - make_interval(days => $3), now() - make_interval(days => $3))`,
    [id, status, daysAgo],
  );
  await panel.sql(
    `insert into platform.upgrade_step (upgrade_id, position, node_name, process_id, status, from_version)
     values ($1, 0, 'gone', 'gone/1', 'pending', '1.0.0')`,
    [id],
  );
};

interface Shown {
  haChanges: { id: string; from: string | null; to: string | null }[];
  haUpgrades: { id: string }[];
  haStatus: { lastFailover: string | null };
}
async function shown(): Promise<Shown> {
  const query = `{ haChanges(first: 200) { id from to } haUpgrades(first: 100) { id } haStatus { lastFailover } }`;
  const { data } = await panel.world.graphql<Shown>(query, {}, await panel.world.administrator());
  return data!;
}

test('who led and which upgrades ended more than 400 days ago is forgotten, but for the latest failover', async () => {
  // Since then the panel was only ever started anew.
  await change('panel', 'older', 'old', 600);
  await change('panel', 'old', 'oldest-kept', 500);
  await change('panel', null, 'started', 401);
  await change('panel', null, 'lately', 399);
  await upgrade('upg_01', 'succeeded', 401);
  await upgrade('upg_02', 'cancelled', 401);
  await upgrade('upg_03', 'succeeded', 399);
  await upgrade('upg_04', 'paused', 401);
  await until(async () => {
    await panel.clock.advance(60 * 60 * 1000);
    return (await shown()).haUpgrades.length === 2;
  }, 'what is old to be forgotten');
  const { haChanges, haUpgrades, haStatus } = await shown();
  expect(haChanges.map(({ to }) => to)).toEqual(['lately', 'oldest-kept']);
  expect(haUpgrades.map(({ id }) => id)).toEqual(['upg_04', 'upg_03']);
  const administrator = await panel.world.administrator();
  const before = async (after: string, upgradeAfter: string) =>
    panel.world.graphql(
      `query ($after: ID, $upgradeAfter: ID, $id: ID!) {
        haChanges(first: 1, after: $after) { to } haUpgrades(first: 5, after: $upgradeAfter) { id } haUpgrade(id: $id) { status }
      }`,
      { after, upgradeAfter, id: upgradeAfter },
      administrator,
    );
  expect(dataOf(await before(haChanges[0]!.id, 'upg_04'))).toEqual({
    haChanges: [{ to: 'oldest-kept' }],
    haUpgrades: [{ id: 'upg_03' }],
    haUpgrade: { status: 'PAUSED' },
  });
  const none = await before('no-number', 'upg_99');
  expect(none.errors?.map(({ extensions }) => extensions['code'])).toEqual(
    expect.arrayContaining(['BAD_REQUEST']),
  );
  expect(Date.now() - Date.parse(haStatus.lastFailover!)).toBeGreaterThan(499 * 86_400_000);
  expect(await panel.sql('select upgrade_id from platform.upgrade_step order by 1')).toEqual([
    { upgrade_id: 'upg_03' },
    { upgrade_id: 'upg_04' },
  ]);
});

test('what is to be forgotten, and the latest failover, are found by index', async () => {
  await panel.sql(
    `insert into platform.ha_change (kind, to_name, epoch, occurred_at)
     select 'panel', 'n', 1, now() - make_interval(mins => n) from generate_series(1, 20000) n`,
  );
  await panel.sql('analyze platform.ha_change');
  const plan = async (query: string) =>
    (await panel.sql<{ 'QUERY PLAN': string }>(`explain ${query}`))
      .map((row) => row['QUERY PLAN'])
      .join('\n');
  const old = `select id from platform.ha_change where occurred_at < now() - interval '400 days' order by occurred_at limit 1000`;
  expect(await plan(old)).toContain('ha_change_occurred_at');
  const failover = `select occurred_at from platform.ha_change
    where (from_name is not null or kind = 'database') order by id desc limit 1`;
  expect(await plan(failover)).toContain('ha_change_failover');
});
