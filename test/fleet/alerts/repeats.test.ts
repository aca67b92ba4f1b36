import 'reflect-metadata';
import { randomUUID } from 'node:crypto';

import { expect, test } from 'vitest';

import type { Sweep } from '#platform/membership/sweep.js';
import { dispatchSweep } from '#subgraphs/fleet/alert/notification/dispatch.job.js';
import { notifySweep } from '#subgraphs/fleet/alert/notification/notify.job.js';

import { runSweep } from '../../support/fleet-store.js';
import { rowsRead } from '../../support/rows-read.js';
import { nobodySuspended } from '../support/suspension.js';
import { AlertBench, type BenchNode } from './support/bench.js';

const bench = new AlertBench();

/** A node with a busy CPU, and a channel as `createWebhookChannel` stores it for each interval. */
async function busyNode(...intervals: number[]): Promise<{ node: BenchNode; channels: string[] }> {
  const node = await bench.node();
  const { tenantId } = node.instance;
  await bench.rule(tenantId, 'CPU', {});
  const channels = intervals.map((minutes) => `chn_${minutes}_${randomUUID()}`);
  for (const [at, minutes] of intervals.entries()) {
    await bench.store.sql(
      `insert into fleet.notification_channel (tenant_id, id, kind, name, recipients, minimum_severity, tells_resolved,
         is_enabled, created_by, created_at, repeat_interval_minutes)
       values ($1, $2, 'EMAIL', 'ops', '{}', 'INFO', true, true, 'usr_test', now(), $3)`,
      [tenantId, channels[at], minutes],
    );
  }
  // It stays as it is when the node falls silent, and no outage speaks for it.
  await bench.rule(tenantId, 'OFFLINE', { is_enabled: false });
  await node.beat(1, { cpuPercent: 97 });
  return { node, channels };
}

/** Moves on by minutes, and notifies as the panel does; answers what each channel was told so far. */
async function pass({ node, channels }: Awaited<ReturnType<typeof busyNode>>, minutes: number) {
  await bench.clock.advance(minutes * 60_000);
  await runSweep(bench.store.database, notifySweep(nobodySuspended.isSuspended), bench.clock.now());
  // What waits for a channel is not said again: each message is delivered at once.
  await bench.store.sql(
    `update fleet.notification_delivery set status = 'DELIVERED', next_attempt_at = null, ended_at = now()
     where tenant_id = $1 and next_attempt_at is not null`,
    [node.instance.tenantId],
  );
  const rows = await bench.store.sql<{ id: string; types: string[] }>(
    `select channel_id as id, array_agg(type order by created_at) as types from fleet.notification_delivery
     where tenant_id = $1 group by 1`,
    [node.instance.tenantId],
  );
  return channels.map((id) => rows.find((row) => row.id === id)?.types ?? []);
}

const firings = (count: number) => Array<string>(count).fill('ALERT_FIRING');

test('an alert that goes on is told again at the interval of each channel', async () => {
  const busy = await busyNode(60, 240, 0);
  expect(await pass(busy, 0)).toEqual([firings(1), firings(1), firings(1)]);
  expect(await pass(busy, 59)).toEqual([firings(1), firings(1), firings(1)]);
  expect(await pass(busy, 1)).toEqual([firings(2), firings(1), firings(1)]);
  await pass(busy, 60);
  expect(await pass(busy, 60)).toEqual([firings(4), firings(1), firings(1)]);
  expect(await pass(busy, 60)).toEqual([firings(5), firings(2), firings(1)]);
});

test('once it is acknowledged nobody is told again, but of its end', async () => {
  const busy = await busyNode(60);
  await pass(busy, 0);
  expect(await pass(busy, 60)).toEqual([firings(2)]);
  const { tenantId } = busy.node.instance;
  await bench.store.sql(
    `update fleet.alert set status = 'ACKNOWLEDGED', acknowledged_at = now(), acknowledged_by = 'usr_test'
     where tenant_id = $1`,
    [tenantId],
  );
  await pass(busy, 60);
  expect(await pass(busy, 60)).toEqual([firings(2)]);
  await bench.rule(tenantId, 'CPU', { is_enabled: false });
  await bench.evaluate();
  expect(await pass(busy, 0)).toEqual([[...firings(2), 'ALERT_RESOLVED']]);
});

test('what else its channel is yet to take costs neither a look at an alert nor what is told of it', async () => {
  const busy = await busyNode(60);
  const { tenantId } = busy.node.instance;
  await pass(busy, 0);
  await bench.store.sql(
    `insert into fleet.notification_delivery (tenant_id, id, channel_id, type, alert_ids, body, status, attempts,
       next_attempt_at, created_at)
     select $1, 'dlv_' || n, $2, 'ALERT_RESOLVED', array_fill('alr_' || n, array[100]), '{}', 'PENDING', '[]', $3, $4
     from generate_series(1, 5000) n`,
    [tenantId, busy.channels[0], new Date('2100-01-01'), new Date('2000-01-01')],
  );
  await bench.store.sql('analyze fleet.notification_delivery');
  await bench.clock.advance(60 * 60_000);
  expect(await readBy(notifySweep(nobodySuspended.isSuspended))).toBeLessThan(50);
  expect(await readBy(dispatchSweep)).toBeLessThan(50);
  const told = await bench.store.sql(
    `select type from fleet.notification_delivery where tenant_id = $1 and type = 'ALERT_FIRING'`,
    [tenantId],
  );
  expect(told).toHaveLength(2);
});

/** How many deliveries a run of the sweep reads. */
async function readBy(sweep: Sweep): Promise<number> {
  return bench.store.database.forJobs().transactional(async (em) => {
    const none = () => undefined;
    await sweep.run({ em, now: bench.clock.now(), publish: none, enqueue: none });
    return rowsRead(em, 'fleet.notification_delivery');
  });
}
