import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { MetricsFeed } from '#subgraphs/fleet/metrics/metrics-feed.js';
import { announcements, readAnnouncement } from '#subgraphs/fleet/metrics/relay-message.js';

import { Live } from '../../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { hasRedis, TestRedis } from '../../support/redis.js';
import { until, type Node } from '../../support/world.js';

const query = `subscription($id: ID) {
  metricsReported(instanceId: $id) {
    instanceId timestamp cpuPercent memoryPercent diskPercent
    netRxBytesPerSecond netTxBytesPerSecond loadAverage uptimeSeconds
  }
}`;

const cpuOf = (live: Live) =>
  live.results.map(
    ({ data }) => (data as { metricsReported: { cpuPercent: number } }).metricsReported.cpuPercent,
  );

async function beatUntilSeen(panel: TestPanel, node: Node, live: Live): Promise<void> {
  const isSeen = async () => {
    await panel.clock.advance(1_000);
    await node.beat();
    return live.results.length > 0;
  };
  await until(isSeen, 'a beat to be seen');
}

describe.each(modes)('%s', (mode) => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({}, mode);
    // A gateway connects to the subgraph for its first subscription, and tells nobody when that is done.
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await using live = new Live(panel.panel.url, tenant.token, query);
    await live.opened();
    await beatUntilSeen(panel, node, live);
  });
  afterAll(async () => panel.stop());

  test('a beat arrives within a second with its readings, and the instance can be asked for with it', async () => {
    const tenant = await panel.world.tenant('Acme');
    const node = await tenant.node('n1');
    await using live = new Live(panel.panel.url, tenant.token, query);
    await using named = new Live(
      panel.panel.url,
      tenant.token,
      'subscription { metricsReported { cpuPercent instance { name status tenant { name } } } }',
    );
    await Promise.all([live.opened(), named.opened()]);
    await node.beat({ net_rx_bytes: 1_000, net_tx_bytes: 500, load_average: 0.5, uptime_seconds: 60 });
    await Promise.all([live.received(1, 1_000), named.received(1, 1_000)]);
    await panel.clock.advance(10_000);
    await node.beat({ net_rx_bytes: 3_000, net_tx_bytes: 500, cpu_percent: 80 });
    await Promise.all([live.received(2, 1_000), named.received(2, 1_000)]);
    const at = panel.clock.now().getTime();
    const ordinary = { instanceId: node.id, memoryPercent: 40, diskPercent: 30 };
    expect(live.results).toEqual([
      {
        data: {
          metricsReported: {
            ...ordinary,
            timestamp: new Date(at - 10_000).toISOString(),
            cpuPercent: 12.5,
            netRxBytesPerSecond: null,
            netTxBytesPerSecond: null,
            loadAverage: 0.5,
            uptimeSeconds: 60,
          },
        },
      },
      {
        data: {
          metricsReported: {
            ...ordinary,
            timestamp: new Date(at).toISOString(),
            cpuPercent: 80,
            netRxBytesPerSecond: 200,
            netTxBytesPerSecond: 0,
            loadAverage: null,
            uptimeSeconds: null,
          },
        },
      },
    ]);
    const instance = { name: 'n1', status: 'HEALTHY', tenant: { name: 'Acme' } };
    expect(named.results.map(({ data }) => data)).toEqual([
      { metricsReported: { cpuPercent: 12.5, instance } },
      { metricsReported: { cpuPercent: 80, instance } },
    ]);
  });

  test("a watcher sees nothing of another tenant's beats, and with an instance named nothing of the others", async () => {
    const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [watched, unwatched, foreign] = [await mine.node(), await mine.node(), await other.node()];
    await using all = new Live(panel.panel.url, mine.token, query);
    await using one = new Live(panel.panel.url, mine.token, query, { variables: { id: watched.id } });
    await using stranger = new Live(panel.panel.url, mine.token, query, { variables: { id: foreign.id } });
    await Promise.all([all.opened(), one.opened(), stranger.opened()]);
    await foreign.beat({ cpu_percent: 1 });
    await unwatched.beat({ cpu_percent: 2 });
    await watched.beat({ cpu_percent: 3 });
    await Promise.all([all.received(2), one.received(1)]);
    expect([cpuOf(all), cpuOf(one), stranger.results]).toEqual([[2, 3], [3], []]);
  });

  test('resuming is refused with the way to what was missed, and so is a watcher without a token', async () => {
    const tenant = await panel.world.tenant();
    await using resumed = new Live(panel.panel.url, tenant.token, query, { after: 'c1' });
    await using anonymous = new Live(panel.panel.url, undefined, query);
    await Promise.all([resumed.ended(), anonymous.ended()]);
    expect([resumed.firstErrorCode, resumed.firstErrorReason, anonymous.firstErrorCode]).toEqual([
      'BAD_REQUEST',
      'NOT_RESUMABLE',
      'UNAUTHENTICATED',
    ]);
  });
});

// Debian's redis-server; .ci/run installs it.
describe.skipIf(!hasRedis)('two identical processes', () => {
  test('show each other the beats they take, without putting them into the outbox', async () => {
    await using redis = await TestRedis.start();
    await using first = await startTestPanel({ REDIS_URL: redis.url });
    const second = await first.another();
    const [tenant, other] = [await first.world.tenant(), await first.world.tenant()];
    const [node, foreign] = [await tenant.node(), await other.node()];
    await Promise.all([node.beat(), foreign.beat()]);
    const outbox = async () => (await first.sql('select from fleet.outbox')).length;
    const before = await outbox();
    await using live = new Live(second.url, tenant.token, query);
    await live.opened();
    for (const cpu of [10, 20, 30]) {
      await first.clock.advance(1_000);
      await foreign.beat({ cpu_percent: 90 });
      await node.beat({ cpu_percent: cpu });
      await live.received(cpu / 10, 1_000);
    }
    expect([cpuOf(live), await outbox()]).toEqual([[10, 20, 30], before]);
  });

  test('hear of beats again after the connection for it was cut', async () => {
    await using redis = await TestRedis.start();
    await using first = await startTestPanel({ REDIS_URL: redis.url });
    const second = await first.another();
    const tenant = await first.world.tenant();
    const node = await tenant.node();
    await using live = new Live(second.url, tenant.token, query);
    await live.opened();
    await first.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'panel process' and datname = current_database()`,
    );
    await beatUntilSeen(first, node, live);
    expect(cpuOf(live)[0]).toBe(12.5);
  });
});

test('a reader that never reads holds the newest sample of each instance, of at most 1000 of them', async () => {
  const feed = new MetricsFeed();
  const stream = feed.open('org_1', undefined);
  const sample = (instance: number, second: number) => ({
    instanceId: `inst_${instance}`,
    timestamp: new Date(second * 1000),
    cpuPercent: second,
    memoryPercent: 0,
    diskPercent: 0,
    netRxBytesPerSecond: null,
    netTxBytesPerSecond: null,
    loadAverage: null,
    uptimeSeconds: null,
  });
  const instances = Array.from({ length: 1_500 }, (_, at) => at);
  for (let second = 1; second <= 20; second += 1) {
    feed.deliver(
      'org_1',
      instances.map((at) => sample(at, second)),
    );
  }
  feed.deliver('org_1', [sample(1_499, 3)]);
  const read: { instanceId: string; cpuPercent: number | null }[] = [];
  for (let at = 0; at < 1_000; at += 1) {
    const step = await stream.next();
    if (!step.done) read.push(step.value.payload);
  }
  expect(new Set(read.map(({ instanceId }) => instanceId)).size).toBe(1_000);
  expect(read.map(({ cpuPercent }) => cpuPercent)).toEqual(read.map(() => 20));
  const next = stream.next();
  await stream.return?.();
  expect([await next, feed.isRead('org_1')]).toEqual([{ value: undefined, done: true }, false]);
});

test('what processes tell each other fits into notifications and reads back as it was', () => {
  const instances = new Map(
    Array.from({ length: 40 }, (_, tenant) => [
      `org_${tenant}`,
      new Set(
        Array.from({ length: 50 }, (_each, at) => `inst_${String(at + tenant * 50).padStart(26, '0')}`),
      ),
    ]),
  );
  const texts = announcements('p1', instances);
  expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(8_000);
  const told = new Map<string, string[]>();
  for (const { from, tenants } of texts.map(readAnnouncement)) {
    expect(from).toBe('p1');
    for (const [tenant, ids] of tenants) told.set(tenant, [...(told.get(tenant) ?? []), ...ids]);
  }
  expect(told).toEqual(new Map([...instances].map(([tenant, ids]) => [tenant, [...ids]])));
});
