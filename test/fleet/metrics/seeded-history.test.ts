import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import { seedHistory } from '#subgraphs/fleet/seed.js';

import { dataOf } from '../../support/answers.js';
import { openFleetDatabase } from '../../support/fleet-store.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';

let panel: TestPanel;
let database: Database;
beforeAll(async () => {
  panel = await startTestPanel();
  database = await openFleetDatabase(panel.database.url);
});
afterAll(async () => {
  await database.close();
  await panel.stop();
});

const metrics = ['cpu', 'mem', 'disk', 'net'] as const;
type Bucket = Record<(typeof metrics)[number], { p95: number | null } | null>;

test('seeded nodes have history in every range, with percentiles; seeding again adds nothing', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const nodes = [await tenant.node(), await tenant.node(), await other.node()];
  await nodes[0]!.beat();
  const seeding = {
    tenantId: tenant.id,
    now: panel.clock.now(),
    nodes: nodes.map(({ id }) => ({
      id,
      cpuPercent: 40,
      memoryPercent: 60,
      diskPercent: 50,
      netBytesPerSecond: 100_000,
    })),
  };
  expect(await seedHistory(database, seeding), 'not those of others').toBe(2);
  const count = async () =>
    panel.sql(
      `select (select count(*)::int from fleet.metrics_sample) as raw, (select count(*)::int from fleet.metrics_hourly) as hours,
         (select count(*)::int from fleet.metrics_daily) as days`,
    );
  const before = await count();
  expect(await seedHistory(database, seeding)).toBe(0);
  expect(await count()).toEqual(before);

  for (const [range, atLeast] of [
    ['1h', 59],
    ['6h', 355],
    ['24h', 23],
    ['7d', 166],
    ['30d', 358],
    ['3mo', 89],
  ] as const) {
    const answer = await tenant.graphql<{ metricsHistory: { buckets: Bucket[] } }>(
      `query($id: ID!, $range: String!) { metricsHistory(instanceId: $id, range: $range) {
         buckets { cpu { p95 } mem { p95 } disk { p95 } net { p95 } } } }`,
      { id: nodes[0]!.id, range },
    );
    const { buckets } = dataOf(answer).metricsHistory;
    for (const metric of metrics) {
      const told = buckets.filter((bucket) => typeof bucket[metric]?.p95 === 'number');
      expect(told.length, `${metric} of ${range}`).toBeGreaterThanOrEqual(atLeast);
    }
  }
  await until(async () => {
    await panel.clock.advance(15_000);
    return (
      (
        await panel.sql('select from fleet.metrics_dirty where hour < $1', [
          new Date(seeding.now.getTime() - 2 * 3_600_000),
        ])
      ).length === 0
    );
  }, 'the hours of the samples to be rolled up');
});
