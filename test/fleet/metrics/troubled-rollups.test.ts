import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { rollupSweep } from '#subgraphs/fleet/metrics/metrics.job.js';

import { openFleetStore, runSweep, type FleetStore, type StoredInstance } from '../../support/fleet-store.js';

let store: FleetStore;
beforeAll(async () => {
  store = await openFleetStore();
});
afterAll(async () => store.stop());

const minute = 60_000;
const hour = 60 * minute;
const rollup = rollupSweep(30, silentLogger);

async function buckets(
  { id }: StoredInstance,
  table: 'metrics_hourly' | 'metrics_daily',
  key: 'hour' | 'day',
): Promise<Record<string, object>> {
  const rows = await store.sql<{ key: Date }>(
    `select ${key} as key, samples, cpu_sum, net_count, net_sum from fleet.${table} where instance_id = $1 order by 1`,
    [id],
  );
  return Object.fromEntries(rows.map(({ key: time, ...bucket }) => [time.toISOString(), bucket]));
}

/** As the table has them from before beats were checked for it, or from another hand. */
async function storeSamples(
  { tenantId, id }: StoredInstance,
  samples: readonly { at: number; cpu?: number; net: number }[],
): Promise<void> {
  for (const { at, cpu = 10, net } of samples) {
    await store.sql(`insert into fleet.metrics_sample values ($1, $2, $3, $4, 50, 50, $5, $5, null)`, [
      tenantId,
      id,
      new Date(at),
      cpu,
      net,
    ]);
    await store.sql(
      `insert into fleet.metrics_dirty (tenant_id, instance_id, hour) values ($1, $2, date_trunc('hour', $3::timestamptz, 'UTC'))
       on conflict do nothing`,
      [tenantId, id, new Date(at)],
    );
  }
}

test('counters beyond what numbers can tell stop no rollup', async () => {
  const at = Date.parse('2026-07-01T10:00:00Z');
  const [huge, tiny] = [await store.instance(), await store.instance()];
  await storeSamples(huge, [
    { at, net: 0 },
    { at: at + minute, net: 1.7e308 },
  ]);
  await storeSamples(tiny, [
    { at, net: 0 },
    { at: at + minute, net: 5e-324 },
  ]);
  await runSweep(store.database, rollup, new Date(at + 2 * hour));
  expect(await buckets(huge, 'metrics_hourly', 'hour')).toMatchObject({
    '2026-07-01T10:00:00.000Z': { samples: 2, net_count: 1 },
  });
  expect(await buckets(tiny, 'metrics_hourly', 'hour')).toMatchObject({
    '2026-07-01T10:00:00.000Z': { samples: 2, net_count: 1, net_sum: 0 },
  });
});

test('an hour that cannot be rolled up stops no other one, and is tried again when an hour has passed', async () => {
  const at = Date.parse('2026-07-02T10:00:00Z');
  const [bad, good] = [await store.instance(), await store.instance()];
  await storeSamples(bad, [
    { at, cpu: 1.7e308, net: 0 },
    { at: at + minute, cpu: 1.7e308, net: 0 },
    { at: at + hour, net: 0 },
  ]);
  await storeSamples(good, [{ at: at + hour, net: 0 }]);
  await runSweep(store.database, rollup, new Date(at + 3 * hour));
  const well = { samples: 1, cpu_sum: 10 };
  const atEleven = { '2026-07-02T11:00:00.000Z': expect.objectContaining(well) };
  expect(await buckets(good, 'metrics_hourly', 'hour')).toEqual(atEleven);
  expect(await buckets(bad, 'metrics_hourly', 'hour')).toEqual(atEleven);
  await store.sql(
    'update fleet.metrics_sample set cpu_percent = 20 where instance_id = $1 and cpu_percent > 100',
    [bad.id],
  );
  await runSweep(store.database, rollup, new Date(at + 4 * hour - 1));
  expect(Object.keys(await buckets(bad, 'metrics_hourly', 'hour'))).toHaveLength(1);
  await runSweep(store.database, rollup, new Date(at + 4 * hour));
  expect(await buckets(bad, 'metrics_daily', 'day')).toMatchObject({
    '2026-07-02T00:00:00.000Z': { samples: 3, cpu_sum: 50 },
  });
});
