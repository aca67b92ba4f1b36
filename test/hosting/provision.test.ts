import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { plainCloudInit } from '#subgraphs/hosting/provision/cloud-init.js';

import { create } from '../governance/support/tenant.js';
import { Live } from '../support/live.js';
import { until } from '../support/world.js';
import {
  connect,
  hostingTenant,
  placesKept,
  provision,
  reaches,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

const run = promisify(execFile);
const hasHcloud = spawnSync('hcloud', ['version']).status === 0;
const hasCloudInit = spawnSync('cloud-init', ['--version']).status === 0;

// Steps follow each other through the queue, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel();
});
afterAll(async () => panel.stop());

describe('accounts', () => {
  test('a token is tried before it is kept, and never shown again', async () => {
    const tenant = await panel.world.tenant();
    const before = await tenant.rest<unknown[]>('/api/hosting/providers');
    expect(before.body).toEqual([
      {
        id: 'hetzner',
        name: 'Hetzner Cloud',
        status: 'unconfigured',
        configured: false,
        sandbox: true,
        regions: [],
        last_checked_at: null,
      },
      expect.objectContaining({ id: 'digitalocean', name: 'DigitalOcean', status: 'unconfigured' }),
    ]);
    const refused = async (token: string) => (await connect(tenant, token)).errors?.[0]?.extensions;
    expect(await refused('x'.repeat(64))).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.token': expect.stringContaining('does not take this token') },
    });
    expect(await refused(panel.hetzner.token({ access: 'read-only' }))).toMatchObject({
      details: { 'input.token': expect.stringContaining('may only read') },
    });
    expect(await refused('short')).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(
      (await panel.sql('select 1 from hosting.provider_account where tenant_id = $1', [tenant.id])).length,
    ).toBe(0);
    const token = panel.hetzner.token();
    const { data } = await connect(tenant, token);
    expect(data?.['connectProvider']).toMatchObject({ status: 'ACTIVE', configured: true });
    const [kept] = await panel.sql<{ sealed_token: string }>(
      'select sealed_token from hosting.provider_account where tenant_id = $1',
      [tenant.id],
    );
    expect(kept!.sealed_token).not.toContain(token);
    const gone = await tenant.graphql('mutation { disconnectProvider(provider: "hetzner") { status } }');
    expect(gone.data).toEqual({ disconnectProvider: { status: 'UNCONFIGURED' } });
    expect((await provision(tenant, { name: 'a' })).errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      reason: 'PROVIDER_NOT_CONNECTED',
    });
  });
});

describe("the reference's example", () => {
  test('answers as printed, becomes a node that beats, and leaves nothing behind when it is deleted', async () => {
    const { tenant, token } = await hostingTenant(panel);
    await create(tenant, { name: 'Known', rule: { condition: 'os.name', operator: 'exists', value: true } });
    await using live = new Live<{ serverChanged: { phase: string } }>(
      panel.panel.url,
      tenant.token,
      'subscription { serverChanged { id phase status instance { name } } }',
    );
    await live.opened();
    const body = {
      provider: 'hetzner',
      region: 'eu-central',
      size: 'cx31',
      name: 'production-03',
      install_cloud_os: true,
    };
    const made = await tenant.rest<Record<string, unknown>>('/api/hosting/servers', { body });
    expect(made.status).toBe(201);
    const { id } = made.body as { id: string };
    expect(made.body).toEqual({
      id: expect.stringMatching(/^srv_/),
      name: 'production-03',
      provider: 'hetzner',
      region: 'eu-central',
      size: 'cx31',
      status: 'provisioning',
      ip_address: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    await reaches(panel, tenant, id, 'READY');
    const shown = await tenant.rest<Record<string, unknown>>(`/api/hosting/servers/${id}`);
    expect(shown.body).toMatchObject({
      status: 'running',
      ip_address: expect.stringMatching(/^198\.18\./),
      instance_id: expect.stringMatching(/^inst_/),
    });
    const join = async () =>
      tenant.graphql<{ server: { instance: { score: number | null } } }>(
        `query($id: ID!) { server(id: $id) {
          costSoFar createdBy sshKeys instance { id name status score licence { plan status } server { id } }
        } }`,
        { id },
      );
    // What the node told with its first beat is judged a moment later.
    await until(async () => (await join()).data?.server.instance.score != null, 'its score');
    const joined = await join();
    expect(joined.errors).toBeUndefined();
    expect(joined.data?.server).toMatchObject({
      // An hour of it, and of its address.
      costSoFar: 0.0152,
      createdBy: tenant.user.id,
      sshKeys: [],
      instance: {
        name: 'production-03',
        status: 'HEALTHY',
        score: 100,
        licence: { plan: 'PRO', status: 'ACTIVE' },
        server: { id },
      },
    });
    expect(live.results.flatMap(({ errors = [] }) => errors)).toEqual([]);
    const told = () => live.results.map((each) => each.data?.serverChanged.phase);
    await until(async () => told().includes('READY'), 'the dashboard to see it');
    // Each event shows the server as it is when it is told, so a phase that is over quickly may be passed by.
    const order = ['REQUESTED', 'CREATING', 'BOOTING', 'ENROLLING', 'READY'];
    const places = told().map((phase) => order.indexOf(phase!));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set(told()).size).toBeGreaterThan(2);

    const env = { ...process.env, HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: panel.hetzner.url };
    const listed = hasHcloud ? (await run('hcloud', ['server', 'list'], { env })).stdout : undefined;
    expect(listed ?? 'production-03 running').toMatch(/production-03\s+running/);
    expect(panel.hetzner.servers(token)).toMatchObject([
      { name: 'production-03', labels: { 'qzr-server': id, 'qzr-tenant': tenant.id } },
    ]);

    expect((await tenant.rest(`/api/hosting/servers/${id}`, { method: 'DELETE' })).status).toBe(204);
    await reaches(panel, tenant, id, 'DELETED');
    await until(async () => told().includes('DELETED'), 'the dashboard to see the end');
    expect(live.results.flatMap(({ errors = [] }) => errors)).toEqual([]);
    expect(panel.hetzner.servers(token)).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/hosting/servers')).body).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toEqual([]);
    await until(
      async () => (await tenant.rest<unknown[]>('/api/billing/licenses')).body.length === 0,
      'the licence',
    );
    expect(await placesKept(panel, tenant.id)).toBe(0);
    const former = await tenant.graphql('{ formerInstances { nodes { name } } }');
    expect(former.data).toEqual({ formerInstances: { nodes: [{ name: 'production-03' }] } });
    expect((await tenant.rest(`/api/hosting/servers/${id}`, { method: 'DELETE' })).status).toBe(204);
  });

  test('its cloud-init document holds against the schema of cloud-init itself', async ({ skip }) => {
    if (!hasCloudInit) return skip('cloud-init is not installed (Debian package cloud-init)');
    expect(panel.booted.length).toBeGreaterThan(0);
    const folder = await mkdtemp(join(tmpdir(), 'cloud-init-'));
    const check = async (text: string) => {
      const file = join(folder, 'user-data');
      await writeFile(file, text);
      return run('cloud-init', ['schema', '--config-file', file]);
    };
    for (const text of [panel.booted[0]!, plainCloudInit('plain-01')])
      expect((await check(text)).stdout).toContain('Valid cloud-config');
    await expect(check(panel.booted[0]!.replace('"runcmd"', '"runcmd": 1, "x"'))).rejects.toThrow(
      'Command failed',
    );
  });
});

describe('what can not be', () => {
  test('is refused with the field and the reason, before anything is reserved', async () => {
    const { tenant } = await hostingTenant(panel);
    const refusal = async (input: Record<string, unknown>) => {
      const { errors } = await provision(tenant, { name: 'web-01', ...input });
      return errors?.[0]?.extensions;
    };
    expect(await refusal({ size: 'cx99' })).toMatchObject({
      details: { 'input.size': 'There is no size cx99' },
    });
    expect(await refusal({ size: 'cx11' })).toMatchObject({
      details: { 'input.size': 'cx11 is sold no more in fsn1' },
    });
    expect(await refusal({ region: 'moon' })).toMatchObject({
      details: { 'input.region': 'There is no region moon' },
    });
    expect(await refusal({ region: 'ash' })).toMatchObject({
      details: { 'input.size': 'cx22 is not sold in ash' },
    });
    expect(await refusal({ provider: 'none' })).toMatchObject({ code: 'VALIDATION_FAILED' });
    for (const name of ['123', '-a', 'under_score', 'a'.repeat(64), ''])
      expect(await refusal({ name })).toMatchObject({ details: { 'input.name': expect.any(String) } });
    expect(await refusal({ size: 'ccx13' })).toMatchObject({
      code: 'CONFLICT',
      reason: 'SOLD_OUT',
      details: {
        alternatives: expect.arrayContaining([expect.objectContaining({ size: 'ccx13', region: 'hel1' })]),
      },
    });
    const rest = await tenant.rest('/api/hosting/servers', {
      body: { provider: 'hetzner', region: 'fsn1', size: 'cx99', name: 'a', install_cloud_os: true },
    });
    expect(rest).toMatchObject({ status: 422, body: { details: { size: 'There is no size cx99' } } });
    expect((await tenant.rest('/api/hosting/sizes?provider=none')).status).toBe(400);
    expect(await placesKept(panel, tenant.id)).toBe(0);
    expect(panel.hetzner.servers((await hostingTenant(panel)).token)).toEqual([]);
  });

  test('the catalogue tells where each size can be had, and what it costs', async () => {
    const { tenant } = await hostingTenant(panel);
    const sizes = await tenant.rest<{ id: string }[]>('/api/hosting/sizes?region=eu-central');
    expect(sizes.body.find(({ id }) => id === 'cx31')).toEqual({
      id: 'cx31',
      provider: 'hetzner',
      name: 'CX31',
      vcpus: 2,
      memory_gb: 8,
      disk_gb: 80,
      price_monthly: 8.98,
      price_hourly: 0.0144,
      currency: 'EUR',
      deprecated: false,
    });
    expect(sizes.body.find(({ id }) => id === 'cpx21')).toMatchObject({ deprecated: true });
    const regions = await tenant.rest<unknown[]>('/api/hosting/regions');
    expect(regions.body).toContainEqual({
      id: 'hel1',
      name: 'Helsinki DC Park 1',
      provider: 'hetzner',
      country: 'FI',
      city: 'Helsinki',
      available: true,
    });
    const forecast = await tenant.graphql(
      '{ serverForecast(provider: "hetzner", region: "eu-central", size: "cx22") { priceMonthly ipv4PriceMonthly currency perMonthNow perMonthThen fits } }',
    );
    expect(forecast.data?.['serverForecast']).toEqual({
      priceMonthly: 3.79,
      ipv4PriceMonthly: 0.5,
      currency: 'EUR',
      perMonthNow: 0,
      perMonthThen: 4.29,
      fits: true,
    });
  });
});

test('a size has the price of the cheapest place where it can be had, also while cheaper ones are sold out', async () => {
  const { tenant } = await hostingTenant(panel);
  const priceIn = async (region: string | null) => {
    const { data } = await tenant.graphql<{ hostingSizes: { id: string; priceMonthly: number }[] }>(
      'query($region: String) { hostingSizes(region: $region) { id priceMonthly } }',
      { region },
    );
    return data!.hostingSizes.find(({ id }) => id === 'cpx11')?.priceMonthly;
  };
  expect([await priceIn(null), await priceIn('sin')]).toEqual([3.85, expect.closeTo(5.775)]);
  const cheap = ['fsn1', 'nbg1', 'hel1', 'hil'];
  panel.hetzner.sellOut(...cheap.map((location) => `cpx11@${location}`));
  await panel.clock.leap(6 * 60_000);
  expect(await priceIn(null)).toBeCloseTo(4.4275);
  const forecast = await tenant.graphql(
    '{ serverForecast(provider: "hetzner", region: "ash", size: "cpx11") { priceMonthly } }',
  );
  expect(forecast.data).toEqual({
    serverForecast: { priceMonthly: expect.closeTo(4.4275) as unknown as number },
  });
  // Where it can be had nowhere it still has a price.
  expect(await priceIn('fsn1')).toBe(3.85);
  panel.hetzner.restock();
});

test('a token lets in its own host, once', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const { data } = await provision(tenant, { name: 'bound-01' });
  const { id } = data!.provisionServer;
  await panel.pass(() => panel.hetzner.servers(token).length === 1, 'the provider to be told');
  const { userData } = panel.hetzner.servers(token)[0]!;
  const secret = /flt_[\w-]+/.exec(userData)![0];
  const enroll = async (hostname: string) =>
    panel.world.rest('/api/agent/enroll', {
      body: { token: secret, name: hostname, hostname, version: '0.2.9' },
    });
  expect(await enroll('thief')).toMatchObject({
    status: 401,
    body: { error: expect.stringContaining('another host') },
  });
  await reaches(panel, tenant, id, 'READY');
  expect(await enroll('bound-01')).toMatchObject({
    status: 401,
    body: { error: expect.stringContaining('no uses left') },
  });
});

test('no secret is in any answer, event, audit row, job or other row of all that came about here', async () => {
  expect(await panel.leaks()).toEqual([]);
});
