import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { measureDatabase } from '#panel/database-metrics.js';
import { serveMetrics } from '#panel/metrics.js';
import { panelVersion } from '#panel/version.js';
import { Database } from '#platform/database/database.js';
import { contract, migration } from '#platform/database/migrate.js';
import { silentLogger } from '#platform/logger.js';
import { Metrics } from '#platform/metrics.js';
import { assetPath } from '#platform/package-root.js';

import { call } from '../support/http.js';
import { Live } from '../support/live.js';
import { createTestDatabase, startTestPanel, type TestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { SwitchedAddress } from '../support/switched-address.js';

const token = 'a-token-for-the-scraper';

/** The value of one series, as `name{label="value"}`; undefined when it is not there. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('a panel with a token and a port for its metrics', () => {
  let panel: TestPanel;
  const scrape = async () => (await panel.world.rest('/metrics', { token })).text;
  beforeAll(async () => {
    panel = await startTestPanel({ METRICS_TOKEN: token, METRICS_PORT: '0', NODE_NAME: 'one' });
  });
  afterAll(async () => panel.stop());

  test('shows them to whoever has the token, at both addresses, and to nobody else', async () => {
    const { url, metricsUrl } = panel.panel;
    expect(metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    for (const base of [url, metricsUrl!]) {
      const answers = [
        await call(`${base}/metrics`, { token }),
        await call(`${base}/metrics`),
        await call(`${base}/metrics`, { token: 'another-token' }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 404, 404]);
    }
    // It serves nothing else.
    expect((await call(`${metricsUrl}/healthz`, { token })).status).toBe(404);
  });

  test('counts requests, operations, beats, mails and jobs by their outcome', async () => {
    await panel.world.rest('/api/auth/me');
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await node.beat();
    await tenant.graphql('{ nonsense }');
    const text = await scrape();
    const requests = 'panel_http_request_duration_seconds_count{transport="rest",method="GET",status="401"}';
    expect(valueOf(text, requests)).toBe(1);
    expect(valueOf(text, 'panel_beats_total{outcome="ok"}')).toBe(1);
    expect(valueOf(text, 'panel_graphql_operations_total{kind="operation",outcome="ok"}')).toBeGreaterThan(2);
    expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    // The confirmation of the tenant's address, which goes nowhere here.
    await expect.poll(async () => valueOf(await scrape(), 'panel_mails_total{outcome="unsent"}')).toBe(2);
    const done = 'panel_job_attempts_total{job="identity.mail.send",outcome="done"}';
    await expect.poll(async () => valueOf(await scrape(), done)).toBe(2);
    expect(valueOf(await scrape(), 'panel_jobs{job="identity.mail.send",state="failed"}')).toBe(0);
  });

  test('what alerts count is told as 0 before it happens, or its first time would be no increase', async () => {
    const text = await scrape();
    const rare = [
      'panel_job_attempts_total{job="identity.mail.send",outcome="given up"}',
      'panel_job_attempts_total{job="identity.mail.send",outcome="failed"}',
      'panel_dropped_subscriptions_total{reason="STALLED"}',
    ];
    expect(rare.map((series) => valueOf(text, series))).toEqual([0, 0, 0]);
  });

  test('tells what stands: leases, subscriptions, WebSockets, connections', async () => {
    const tenant = await panel.world.tenant();
    {
      await using live = new Live(panel.panel.url, tenant.token, 'subscription { instanceChanged { id } }');
      await live.opened();
      const text = await scrape();
      expect(valueOf(text, 'panel_subscriptions')).toBe(1);
      expect(valueOf(text, 'panel_websockets')).toBe(1);
      expect(valueOf(text, 'panel_lease_epoch{lease="fleet"}')).toBe(1);
      expect(valueOf(text, 'panel_database_connections{pool="requests",state="waiting"}')).toBe(0);
      expect(valueOf(text, 'panel_database_connections_max{pool="requests"}')).toBeGreaterThan(0);
    }
    await expect
      .poll(async () => {
        const text = await scrape();
        return [valueOf(text, 'panel_subscriptions'), valueOf(text, 'panel_websockets')];
      })
      .toEqual([0, 0]);
  });

  test('tells how old the oldest event is that a consumer has not had, and how many were set aside', async () => {
    const lag = 'panel_outbox_lag_seconds{consumer="fleet",source="identity"}';
    const parked = 'panel_parked_events{consumer="fleet",source="identity"}';
    await expect.poll(async () => valueOf(await scrape(), lag)).toBe(0);
    const tenant = await panel.world.tenant();
    await panel.sql(
      `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_broken', $1, 'billing.entitlement.granted', $1, '{"version": "no number"}', 'test', $2)`,
      [tenant.id, new Date(panel.clock.now().getTime() - 3_600_000)],
    );
    await expect.poll(async () => valueOf(await scrape(), lag)).toBeGreaterThanOrEqual(3_600);
    await expect.poll(async () => valueOf(await scrape(), parked), { timeout: 30_000 }).toBe(1);
    expect(valueOf(await scrape(), lag)).toBe(0);
  });

  test('tells what it is, what waits to be stored, what an upgrade waits for, and what haStatus gives as reasons', async () => {
    const text = await scrape();
    expect(valueOf(text, `panel_info{version="${panelVersion}",process="panel",node_name="one"}`)).toBe(1);
    expect(valueOf(text, 'panel_beats_waiting')).toBe(0);
    expect(valueOf(text, 'panel_beats_waiting_max')).toBe(5_000);
    expect(valueOf(text, 'panel_beats_oldest_wait_seconds')).toBe(0);
    expect(valueOf(text, 'panel_contracts_pending')).toBe(0);
    const gone = 'panel_ha_faults{code="NODE_OFFLINE"}';
    expect(valueOf(text, gone)).toBe(0);
    await panel.sql(
      `insert into platform.process (id, node_name, version, address, areas, state, started_at, beat_at)
       values ('two/gone', 'two', '1', '', '{fleet}', 'running', now() - interval '1 hour', now() - interval '1 minute')`,
    );
    expect(valueOf(await scrape(), gone)).toBe(1);
    await panel.sql(`delete from platform.process where id = 'two/gone'`);
    // Nobody has taken one here, and no other kind of backup is known.
    expect(text).not.toMatch(/^panel_last_backup_timestamp_seconds /m);
    expect(text).not.toMatch(/^panel_redis_up/m);
  });

  test('tells for how long a beat waits that the database does not take', async () => {
    const node = await (await panel.world.tenant()).node();
    const waits = async () => valueOf(await scrape(), 'panel_beats_oldest_wait_seconds')!;
    const blocker = new pg.Client({ connectionString: panel.database.ownerUrl });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('select from fleet.instance where id = $1 for update', [node.id]);
    const beat = node.beat();
    await expect.poll(waits).toBeGreaterThan(0);
    await blocker.query('commit');
    await blocker.end();
    await beat;
    expect(await waits()).toBe(0);
  });

  test('is told of in the table of the operators’ manual, each metric of it', async () => {
    const manual = readFileSync(assetPath('docs', 'operating.md'), 'utf8');
    const told = [...(await scrape()).matchAll(/^# HELP (panel_\w+)/gm)].map(([, name]) => name!);
    expect(told.length).toBeGreaterThan(20);
    expect(told.filter((name) => !manual.includes(`\`${name}\``))).toEqual([]);
  });

  test('counts the contracts of its version that the database has not had', async () => {
    const platform = await Database.open({
      area: 'platform',
      url: panel.database.url,
      entities: [],
      poolSize: 1,
      logger: silentLogger,
    });
    const metrics = new Metrics();
    const migrations = [migration('001_instances'), contract('900_racks_are_gone', ['001_instances'])];
    measureDatabase(metrics, platform, [{ name: 'fleet', migrations }]);
    expect(valueOf(await metrics.text(), 'panel_contracts_pending')).toBe(1);
    await panel.sql(`insert into fleet.migration (name, executed_at) values ('900_racks_are_gone', now())`);
    expect(valueOf(await metrics.text(), 'panel_contracts_pending')).toBe(0);
    await panel.sql(`delete from fleet.migration where name = '900_racks_are_gone'`);
    await platform.close();
  });

  test('has each metric that the rules and dashboards ask for', async () => {
    const folder = assetPath('deploy', 'observability');
    const files = ['rules.yml', 'grafana/dashboards/panel.json', 'grafana/dashboards/background.json'];
    const asked = files.flatMap((file) =>
      [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/\b(?:panel|nodejs|process)_[a-z0-9_]+/g)].map(
        ([name]) => name.replace(/_(bucket|count|sum)$/, ''),
      ),
    );
    const { status, text } = await panel.world.rest('/metrics', { token });
    expect(status).toBe(200);
    const told = new Set([...text.matchAll(/^# HELP (\w+)/gm)].map(([, name]) => name));
    // Only where there is Stripe, and Redis.
    told.add('panel_stripe_webhooks_total').add('panel_redis_up');
    expect([...new Set(asked)].filter((name) => !told.has(name))).toEqual([]);
  });

  test('counts plans that were made and found, times subgraphs, and says whether it is ready', async () => {
    const before = await scrape();
    const tenant = await panel.world.tenant();
    const query = 'query CountedOnce { instances(first: 1) { nodes { id hostname } } }';
    await tenant.graphql(query);
    await tenant.graphql(query);
    const after = await scrape();
    const grown = (series: string) => (valueOf(after, series) ?? 0) - (valueOf(before, series) ?? 0);
    expect(grown('panel_query_plans_total{outcome="miss"}')).toBeGreaterThan(0);
    expect(grown('panel_query_plans_total{outcome="hit"}')).toBeGreaterThan(0);
    expect(grown('panel_subgraph_duration_seconds_count{subgraph="fleet",outcome="ok"}')).toBe(2);
    expect(valueOf(after, 'panel_ready')).toBe(1);
  });

  test('names no tenant and no instance', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await node.beat();
    const text = await scrape();
    expect([text.includes('org_'), text.includes(node.id), text.includes(tenant.id)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

test('a panel without token and port shows its metrics to nobody, also on this machine', async () => {
  await using panel = await startTestPanel();
  expect((await panel.world.rest('/metrics')).status).toBe(404);
  expect(panel.panel.metricsUrl).toBeUndefined();
});

test('each process of split mode has metrics at a port of its own', async () => {
  await using panel = await startTestPanel({ METRICS_PORT: '0' }, 'split');
  const tenant = await panel.world.tenant();
  await (await tenant.node()).beat();
  const { metricsUrl, subgraphs } = panel.panel;
  const scrape = async (url: string | undefined) => (await call(`${url}/metrics`)).text;
  expect(valueOf(await scrape(subgraphs!.fleet.metricsUrl), 'panel_beats_total{outcome="ok"}')).toBe(1);
  const lease = 'panel_lease_epoch{lease="identity"}';
  expect(valueOf(await scrape(subgraphs!.identity.metricsUrl), lease)).toBe(1);
  const operations = 'panel_graphql_operations_total{kind="operation",outcome="ok"}';
  expect(valueOf(await scrape(metricsUrl), operations)).toBeGreaterThan(2);
  for (const { url } of [panel.panel, subgraphs!.identity, subgraphs!.fleet]) {
    expect((await call(`${url}/metrics`)).status).toBe(404);
  }
});

test('a scrape while the database is away tells what the process knows itself, and what it could not read', async () => {
  const database = await createTestDatabase();
  await using address = await SwitchedAddress.open(Number(new URL(inject('postgres').ownerUrl).port));
  await using panel = await startTestPanel({ METRICS_PORT: '0' }, 'in process', {
    ...database,
    url: address.through(database.url),
  });
  await (await (await panel.world.tenant()).node()).beat();
  address.cut();
  const { text } = await call(`${panel.panel.metricsUrl}/metrics`);
  expect(valueOf(text, 'panel_beats_total{outcome="ok"}')).toBe(1);
  expect(valueOf(text, 'panel_metrics_failures_total{metric="panel_jobs"}')).toBe(1);
  expect(text).not.toContain('panel_jobs{');
  address.switchTo(Number(new URL(inject('postgres').ownerUrl).port));
});

test('says whether Redis answers, by what it is used for', async ({ skip }) => {
  if (!hasRedis && process.env['CI'] === undefined) return skip('redis-server is not on this machine');
  await using redis = await TestRedis.start();
  const database = await createTestDatabase();
  await using panel = await startTestPanel(
    { METRICS_PORT: '0', REDIS_URL: redis.url, DATABASE_READ_URL: database.url },
    'in process',
    database,
  );
  const up = async () => {
    const { text } = await call(`${panel.panel.metricsUrl}/metrics`);
    return ['rate limits', 'read positions'].map((use) => valueOf(text, `panel_redis_up{use="${use}"}`));
  };
  expect(await up()).toEqual([1, 1]);
  await redis.kill();
  expect(await up()).toEqual([0, 0]);
  await redis.restart();
  await expect.poll(up).toEqual([1, 1]);
});

test('a reading that never ends holds up neither its scrape for long nor is it begun again', async () => {
  const metrics = new Metrics();
  let begun = 0;
  metrics.gauge('panel_endless', 'Never read.', [], async () => {
    begun += 1;
    return new Promise(() => undefined);
  });
  metrics.gauge('panel_known', 'Known.', [], () => [{ value: 7 }]);
  const texts = [await metrics.text(), await metrics.text()];
  expect(texts.map((text) => valueOf(text, 'panel_known'))).toEqual([7, 7]);
  expect(texts.map((text) => valueOf(text, 'panel_endless'))).toEqual([undefined, undefined]);
  expect(begun).toBe(1);
});

test('the demo shows its metrics to programs on this machine, and not through a proxy', async () => {
  const env = {
    METRICS_TOKEN: undefined,
    METRICS_PORT: undefined,
    METRICS_HOST: '127.0.0.1',
    NODE_NAME: 'one',
  };
  const server = createServer(
    express().use(serveMetrics({ env, process: 'panel', isDemo: true, logger: silentLogger }).router),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const statuses = [
    (await call(url)).status,
    (await call(url, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status,
  ];
  server.closeAllConnections();
  server.close();
  expect(statuses).toEqual([200, 404]);
});
