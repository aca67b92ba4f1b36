import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { serveMetrics } from '#panel/metrics.js';
import { silentLogger } from '#platform/logger.js';
import { Metrics } from '#platform/metrics.js';
import { assetPath } from '#platform/package-root.js';

import { call } from '../support/http.js';
import { Live } from '../support/live.js';
import { createTestDatabase, startTestPanel, type TestPanel } from '../support/panel.js';
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
    panel = await startTestPanel({ METRICS_TOKEN: token, METRICS_PORT: '0' });
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
    // Only where there is Stripe.
    told.add('panel_stripe_webhooks_total');
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
  expect(begun).toBe(1);
});

test('the demo shows its metrics to programs on this machine, and not through a proxy', async () => {
  const env = { METRICS_TOKEN: undefined, METRICS_PORT: undefined, METRICS_HOST: '127.0.0.1' };
  const server = createServer(
    express().use(serveMetrics({ env, isDemo: true, logger: silentLogger }).router),
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
