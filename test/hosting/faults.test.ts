import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import {
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

// Steps follow each other through the queue, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 150_000 });

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

  test('a provider that stays away is told, and nothing is kept for the server', async () => {
    const { tenant } = await hostingTenant(panel);
    panel.hetzner.addFault({ kind: 'drop_before', method: 'POST', body: 'away-01', next: 5 });
    const away = await serverIn(panel, tenant, { name: 'away-01' }, 'FAILED');
    expect(away).toMatchObject({
      status: 'FAILED',
      reason: 'PROVIDER_AWAY',
      message: 'Hetzner can not be reached',
    });
    expect(await placesLeft(tenant.id)).toBe(0);
    expect((await decommission(tenant, away.id)).errors).toBeUndefined();
  });

  test('a server whose creation fails half-way is taken down again', async () => {
    const { tenant, token } = await hostingTenant(panel);
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
    expect(await placesLeft(tenant.id)).toBe(0);
  });

  test('a token that has ended is told, of the server and of the account', async () => {
    const { tenant, token } = await hostingTenant(panel);
    panel.hetzner.revoke(token);
    const ended = await serverIn(panel, tenant, { name: 'ended-01' }, 'FAILED');
    expect(ended).toMatchObject({ reason: 'TOKEN_REFUSED' });
    const providers = await tenant.rest<{ status: string }[]>('/api/hosting/providers');
    expect(providers.body[0]!.status).toBe('failing');
    expect((await provision(tenant, { name: 'more' })).errors?.[0]?.extensions['reason']).toBe(
      'TOKEN_REFUSED',
    );
    expect(await placesLeft(tenant.id)).toBe(0);
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

describe('money', () => {
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
    const becomes = async (state: string) => panel.pass(async () => (await states()).includes(state), state);
    // Whatever is younger may just be under way.
    await panel.clock.leap(11 * 60_000);
    await becomes('unasked ORPHANED UNASKED');
    await panel.clock.leap(5 * 60_000);
    await becomes('gone FAILED SERVER_GONE');
    await panel.pass(() => !names().includes('double'), 'the second one to be taken down');
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
       enrollmentTokens { nodes { prefix name } } auditEvents(first: 500) { nodes { action details } } }`,
  );
  expect(answers.errors).toBeUndefined();
  for (const path of ['providers', 'servers', 'sizes']) {
    const { text } = await tenant.rest(`/api/hosting/${path}`);
    for (const secret of secrets) expect(text + JSON.stringify(answers)).not.toContain(secret);
  }
});
