import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Live } from '../support/live.js';
import { until } from '../support/world.js';
import {
  connect,
  decommission,
  hostingTenant,
  provision,
  reaches,
  serverIn,
  serverOf,
  signedIn,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

const run = promisify(execFile);
const hasHcloud = spawnSync('hcloud', ['version']).status === 0;
const hasCloudInit = spawnSync('cloud-init', ['--version']).status === 0;

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel();
});
afterAll(async () => panel.stop());

/** The place where something is gone again. */
async function placesLeft(tenantId: string): Promise<number> {
  const [row] = await panel.sql<{ open: number }>(
    `select count(*)::int as open from fleet.enrollment_token
     where tenant_id = $1 and server_id is not null and uses = 0 and revoked_at is null`,
    [tenantId],
  );
  return row!.open;
}

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
    const joined = await tenant.graphql<{ server: { instance: { id: string; licence: object | null } } }>(
      `query($id: ID!) { server(id: $id) { costSoFar instance { id name status licence { plan status } server { id } } } }`,
      { id },
    );
    expect(joined.errors).toBeUndefined();
    expect(joined.data?.server).toMatchObject({
      costSoFar: 0.0144,
      instance: {
        name: 'production-03',
        status: 'HEALTHY',
        licence: { plan: 'PRO', status: 'ACTIVE' },
        server: { id },
      },
    });
    const told = () => live.results.map((each) => each.data?.serverChanged.phase);
    await until(async () => told().includes('READY'), 'the dashboard to see it');
    // Each event shows the server as it is when it is told, so a phase that is over quickly may be passed by.
    const order = ['REQUESTED', 'CREATING', 'BOOTING', 'ENROLLING', 'READY'];
    const places = told().map((phase) => order.indexOf(phase!));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set(told()).size).toBeGreaterThan(2);

    if (hasHcloud) {
      const env = { ...process.env, HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: panel.hetzner.url };
      expect((await run('hcloud', ['server', 'list'], { env })).stdout).toMatch(/production-03\s+running/);
    }
    expect(panel.hetzner.servers(token)).toMatchObject([
      { name: 'production-03', labels: { 'qzr-server': id, 'qzr-tenant': tenant.id } },
    ]);

    expect((await tenant.rest(`/api/hosting/servers/${id}`, { method: 'DELETE' })).status).toBe(204);
    await reaches(panel, tenant, id, 'DELETED');
    expect(panel.hetzner.servers(token)).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/hosting/servers')).body).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toEqual([]);
    await until(
      async () => (await tenant.rest<unknown[]>('/api/billing/licenses')).body.length === 0,
      'the licence',
    );
    expect(await placesLeft(tenant.id)).toBe(0);
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
    expect((await check(panel.booted[0]!)).stdout).toContain('Valid cloud-config');
    await expect(check(panel.booted[0]!.replace('"runcmd"', '"runcmd": 1, "x"'))).rejects.toThrow();
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
    expect(await placesLeft(tenant.id)).toBe(0);
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
      '{ serverForecast(provider: "hetzner", region: "eu-central", size: "cx22") { priceMonthly currency perMonthNow perMonthThen fits } }',
    );
    expect(forecast.data?.['serverForecast']).toEqual({
      priceMonthly: 3.79,
      currency: 'EUR',
      perMonthNow: 0,
      perMonthThen: 3.79,
      fits: true,
    });
  });

  test('a budget bounds what servers may cost, and what failed costs nothing', async () => {
    const { tenant } = await hostingTenant(panel);
    const set = async (monthlyLimit: number | null) =>
      tenant.graphql(
        'mutation($input: SetHostingBudgetInput!) { setHostingBudget(input: $input) { currency perMonth budget } }',
        { input: { monthlyLimit, currency: 'EUR' } },
      );
    expect((await set(5)).data).toEqual({ setHostingBudget: [{ currency: 'EUR', perMonth: 0, budget: 5 }] });
    expect((await set(-1)).errors?.[0]?.extensions['code']).toBe('VALIDATION_FAILED');
    await serverIn(panel, tenant, { name: 'one', installCloudOs: false }, 'READY');
    const second = await provision(tenant, { name: 'two', installCloudOs: true });
    expect(second.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'BUDGET_EXCEEDED' });
    expect(await placesLeft(tenant.id)).toBe(0);
    const costs = await tenant.graphql('{ hostingCosts { currency perHour perMonth thisMonth budget } }');
    expect(costs.data).toEqual({
      hostingCosts: [{ currency: 'EUR', perHour: 0.006, perMonth: 3.79, thisMonth: 0.006, budget: 5 }],
    });
    await set(null);
    expect((await provision(tenant, { name: 'two', installCloudOs: false })).errors).toBeUndefined();
  });
});

describe('places under the plan', () => {
  test('are kept from the wish on, given back by a failure, and not needed without Cloud OS', async () => {
    const { tenant } = await hostingTenant(panel, 'FREE');
    panel.hetzner.addFault({
      kind: 'error',
      method: 'POST',
      code: 'placement_error',
      body: 'three',
      next: 1,
    });
    for (const name of ['one', 'two', 'three'])
      expect((await provision(tenant, { name })).errors).toBeUndefined();
    const fourth = await provision(tenant, { name: 'four' });
    expect(fourth.errors?.[0]?.extensions).toMatchObject({
      code: 'LIMIT_REACHED',
      details: { limit: 3, used: 3, plan: 'pro' },
    });
    expect((await provision(tenant, { name: 'plain', installCloudOs: false })).errors).toBeUndefined();
    await panel.pass(async () => {
      const { body } = await tenant.rest<{ name: string; status: string }[]>('/api/hosting/servers');
      return body.every(({ name, status }) => status === (name === 'three' ? 'failed' : 'running'));
    }, 'all to be settled');
    expect((await provision(tenant, { name: 'four' })).errors).toBeUndefined();
    expect((await provision(tenant, { name: 'five' })).errors?.[0]?.extensions['code']).toBe('LIMIT_REACHED');
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
});

describe('faults', () => {
  test('a lost answer, a proxy that stumbles and a busy provider still make one server', async () => {
    const { tenant, token } = await hostingTenant(panel);
    panel.hetzner.addFault({ kind: 'drop_after_commit', method: 'POST', body: 'lost-01' });
    panel.hetzner.addFault({ kind: 'html', method: 'POST', body: 'proxy-01', next: 2 });
    panel.hetzner.addFault({ kind: 'error', method: 'POST', code: 'conflict', body: 'busy-01', next: 2 });
    panel.hetzner.addFault({ kind: 'delay', delayMs: 3_000, method: 'POST', body: 'slow-01' });
    const names = ['lost-01', 'proxy-01', 'busy-01', 'slow-01'];
    const made = await Promise.all(names.map(async (name) => provision(tenant, { name })));
    for (const { data } of made) await reaches(panel, tenant, data!.provisionServer.id, 'READY');
    expect(
      panel.hetzner
        .servers(token)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names.toSorted());
  });

  test('a provider that stays away, an action that fails and a token that ended are told, and cost nothing', async () => {
    const { tenant, token } = await hostingTenant(panel);
    panel.hetzner.addFault({ kind: 'drop_before', method: 'POST', body: 'away-01', next: 9 });
    const away = await serverIn(panel, tenant, { name: 'away-01' }, 'FAILED');
    expect(away).toMatchObject({
      status: 'FAILED',
      reason: 'PROVIDER_AWAY',
      message: 'Hetzner can not be reached',
    });
    panel.hetzner.clearFaults();
    panel.hetzner.addFault({
      kind: 'action_error',
      method: 'POST',
      body: 'broken-01',
      code: 'action_failed',
      message: 'no',
    });
    const broken = await serverIn(panel, tenant, { name: 'broken-01' }, 'FAILED');
    expect(broken).toMatchObject({ reason: 'PROVIDER_FAILED', message: 'no (action_failed)' });
    await panel.pass(() => panel.hetzner.servers(token).length === 0, 'the broken one to be taken down');
    await tenant.graphql('{ hostingSizes { id } }');
    panel.hetzner.revoke(token);
    const ended = await serverIn(panel, tenant, { name: 'ended-01' }, 'FAILED');
    expect(ended).toMatchObject({ reason: 'TOKEN_REFUSED' });
    expect((await tenant.rest<{ status: string }[]>('/api/hosting/providers')).body[0]!.status).toBe(
      'failing',
    );
    expect((await provision(tenant, { name: 'more' })).errors?.[0]?.extensions['reason']).toBe(
      'TOKEN_REFUSED',
    );
    expect(await placesLeft(tenant.id)).toBe(0);
    for (const { id } of [away, broken, ended]) {
      expect((await decommission(tenant, id)).errors).toBeUndefined();
    }
  });

  test('a name that another server has at the provider, and a quota, are told', async () => {
    const { tenant, token } = await hostingTenant(panel);
    await fetch(`${panel.hetzner.url}/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({
        name: 'mine',
        server_type: 'cx22',
        image: 'debian-12',
        labels: { 'qzr-server': 'other' },
      }),
    });
    expect(await serverIn(panel, tenant, { name: 'mine' }, 'FAILED')).toMatchObject({ reason: 'NAME_TAKEN' });
    panel.hetzner.addFault({ kind: 'error', method: 'POST', code: 'resource_limit_exceeded', body: 'quota' });
    expect(await serverIn(panel, tenant, { name: 'quota' }, 'FAILED')).toMatchObject({
      reason: 'QUOTA_REACHED',
    });
    expect(panel.hetzner.servers(token)).toHaveLength(1);
  });

  test('a size that is sold out at the last moment is told with what can be had', async () => {
    const { tenant } = await hostingTenant(panel);
    panel.hetzner.sellOut('cx22@fsn1');
    const failed = await serverIn(panel, tenant, { name: 'late' }, 'FAILED');
    panel.hetzner.restock();
    expect(failed).toMatchObject({
      reason: 'SOLD_OUT',
      message: expect.stringMatching(/to be had: .*cx22 in (nbg1|hel1)/),
    });
  });

  test('a node that never comes fails its server, which stays to be looked at', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const { data } = await provision(tenant, { name: 'silent' });
    const { id } = data!.provisionServer;
    await panel.pass(() => panel.hetzner.servers(token).length === 1, 'the provider to be told');
    await panel.sql(`update fleet.enrollment_token set revoked_at = now() where tenant_id = $1`, [tenant.id]);
    await reaches(panel, tenant, id, 'ENROLLING');
    await panel.clock.leap(31 * 60_000);
    const later = await signedIn(panel, tenant);
    await reaches(panel, later, id, 'FAILED');
    expect(await serverOf(later, id)).toMatchObject({ reason: 'ENROLLMENT_TIMED_OUT' });
    expect(panel.hetzner.servers(token)).toHaveLength(1);
  });
});

describe('repeating and guarding', () => {
  test('one key makes one server, and other words under it are refused', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const input = { name: 'once', idempotencyKey: 'k-1' };
    const answers = await Promise.all([
      provision(tenant, input),
      provision(tenant, input),
      provision(tenant, input),
    ]);
    const ids = answers.map(({ data }) => data?.provisionServer.id);
    expect(new Set(ids).size).toBe(1);
    expect((await provision(tenant, { ...input, name: 'twice' })).errors?.[0]?.extensions['reason']).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    expect((await provision(tenant, { name: 'ONCE' })).errors?.[0]?.extensions['reason']).toBe('NAME_TAKEN');
    expect(await placesLeft(tenant.id)).toBe(1);
    await reaches(panel, tenant, ids[0]!, 'READY');
    expect(panel.hetzner.servers(token)).toHaveLength(1);
  });

  test('a protected server stays until that is taken off; commands under way may end first', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const { id, instanceId } = await serverIn(panel, tenant, { name: 'guarded', isProtected: true }, 'READY');
    expect((await decommission(tenant, id)).errors?.[0]?.extensions['reason']).toBe('SERVER_PROTECTED');
    const protect = async (isProtected: boolean) =>
      tenant.graphql(
        'mutation($id: ID!, $is: Boolean!) { protectServer(id: $id, isProtected: $is) { isProtected } }',
        {
          id,
          is: isProtected,
        },
      );
    expect((await protect(false)).data).toEqual({ protectServer: { isProtected: false } });
    // The simulated node takes no commands, so this one stays open until the drain is over.
    const sent = await tenant.rest('/api/fleet/commands', {
      body: { instance_ids: [instanceId], command: 'restart' },
    });
    expect(sent.status).toBe(201);
    expect((await decommission(tenant, id, { drainSeconds: 20 })).data?.decommissionServer).toMatchObject({
      status: 'DELETING',
      phase: 'DRAINING',
    });
    await panel.clock.advance(5_000);
    expect(await serverOf(tenant, id)).toMatchObject({ phase: 'DRAINING' });
    expect(panel.hetzner.servers(token)).toHaveLength(1);
    await reaches(panel, tenant, id, 'DELETED');
    expect(panel.hetzner.servers(token)).toEqual([]);
  });

  test('a server that is still being made can be taken down', async () => {
    const { tenant, token } = await hostingTenant(panel);
    panel.hetzner.addFault({ kind: 'drop_after_commit', method: 'POST', body: 'early' });
    const { data } = await provision(tenant, { name: 'early' });
    const { id } = data!.provisionServer;
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(panel.hetzner.servers(token)).toEqual([]);
    expect(await placesLeft(tenant.id)).toBe(0);
  });
});

describe('what is there and what is known', () => {
  test('are compared both ways, and the marks of others are left alone', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const gone = await serverIn(panel, tenant, { name: 'gone', installCloudOs: false }, 'READY');
    const { labels } = panel.hetzner.servers(token)[0]!;
    const put = async (name: string, more: Record<string, string>) =>
      fetch(`${panel.hetzner.url}/servers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          name,
          server_type: 'cx22',
          image: 'debian-12',
          labels: { ...labels, ...more },
        }),
      });
    await put('foreign-panel', { 'qzr-panel': 'another', 'qzr-server': 'srv_of_another' });
    await put('foreign-tenant', { 'qzr-tenant': 'org_other', 'qzr-server': 'srv_of_other' });
    await put('unasked', { 'qzr-server': 'srv_unasked' });
    await put('double', {});
    panel.hetzner.removeServer(token, 'gone');
    const names = () =>
      panel.hetzner
        .servers(token)
        .map(({ name }) => name)
        .toSorted();
    const states = async () =>
      (
        await panel.sql<{ state: string }>(
          `select concat_ws(' ', name, phase, reason) as state from hosting.server where tenant_id = $1 order by 1`,
          [tenant.id],
        )
      ).map(({ state }) => state);
    await until(
      async () => {
        await panel.clock.leap(20_000);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return (
          (await states()).join() === 'gone FAILED SERVER_GONE,unasked ORPHANED UNASKED' &&
          !names().includes('double')
        );
      },
      'both to be told',
      40_000,
    );
    expect(names()).toEqual(['foreign-panel', 'foreign-tenant', 'unasked']);
    const later = await signedIn(panel, tenant);
    expect((await decommission(later, 'srv_unasked')).errors).toBeUndefined();
    await reaches(panel, later, 'srv_unasked', 'DELETED');
    expect((await decommission(later, gone.id)).errors).toBeUndefined();
    await reaches(panel, later, gone.id, 'DELETED');
    expect(names()).toEqual(['foreign-panel', 'foreign-tenant']);
  });
});

test('thirty servers at once cost few requests, and no secret is anywhere', async () => {
  const { tenant, token } = await hostingTenant(panel);
  await tenant.grantPlan('ENTERPRISE');
  const before = panel.hetzner.requests()['all']!;
  const made = await Promise.all(
    Array.from({ length: 30 }, async (_, index) =>
      provision(tenant, { name: `many-${index}`, installCloudOs: index < 3 }),
    ),
  );
  for (const { errors } of made) expect(errors).toBeUndefined();
  await panel.pass(async () => {
    const { body } = await tenant.rest<{ status: string }[]>('/api/hosting/servers');
    return body.length === 30 && body.every(({ status }) => status === 'running');
  }, 'all to run');
  expect(panel.hetzner.servers(token)).toHaveLength(30);
  expect(panel.hetzner.requests()['all']! - before).toBeLessThan(120);

  const secrets = [token, ...panel.booted.flatMap((text) => text.match(/flt_[\w-]+/g) ?? [])];
  expect(secrets.length).toBeGreaterThan(3);
  const tables = await panel.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('hosting', 'identity', 'fleet', 'billing', 'platform', 'jobs') and table_type = 'BASE TABLE'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await panel.sql<{ row: string }>(`select t::text as row from ${name} t`);
    for (const { row } of rows) if (secrets.some((secret) => row.includes(secret))) found.push(name);
  }
  expect(found).toEqual([]);
  const answers = await tenant.graphql(
    `{ hostingProviders { id problem } servers(first: 500) { nodes { id message reason providerId } }
       enrollmentTokens { nodes { prefix name } } auditEvents(first: 500) { nodes { action changes } } }`,
  );
  expect(answers.errors).toBeUndefined();
  for (const path of ['providers', 'servers', 'sizes']) {
    const { text } = await tenant.rest(`/api/hosting/${path}`);
    for (const secret of secrets) expect(text + JSON.stringify(answers)).not.toContain(secret);
  }
});
