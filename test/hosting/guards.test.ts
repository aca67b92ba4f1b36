import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { encrypted, create } from '../governance/support/tenant.js';
import { hosting } from '../security/rich-hosting.js';
import { startTestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import {
  connect,
  decommission,
  hostingTenant,
  placesKept,
  provision,
  reaches,
  serverIn,
  serverOf,
  signedIn,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

// Steps follow each other through the queue, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel();
});
afterAll(async () => panel.stop());

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
    expect(await placesKept(panel, tenant.id)).toBe(0);
    const costs = await tenant.graphql('{ hostingCosts { currency perHour perMonth thisMonth budget } }');
    expect(costs.data).toEqual({
      hostingCosts: [{ currency: 'EUR', perHour: 0.0068, perMonth: 4.29, thisMonth: 0.0068, budget: 5 }],
    });
    await set(null);
    expect((await provision(tenant, { name: 'two', installCloudOs: false })).errors).toBeUndefined();
  });

  test('amounts of different currencies stay apart, each with a budget of its own', async () => {
    const { tenant } = await hostingTenant(panel);
    expect((await connect(tenant, panel.digitalocean.token(), 'digitalocean')).errors).toBeUndefined();
    const { data: offers } = await tenant.graphql<{ hostingSizes: { id: string }[] }>(
      '{ hostingSizes { id priceHourly ipv4PriceHourly ipv4PriceMonthly } }',
    );
    expect(offers!.hostingSizes).toEqual(
      expect.arrayContaining([
        { id: 'cx22', priceHourly: 0.006, ipv4PriceHourly: 0.0008, ipv4PriceMonthly: 0.5 },
        { id: 's-2vcpu-4gb', priceHourly: 0.03571, ipv4PriceHourly: 0, ipv4PriceMonthly: 0 },
      ]),
    );
    const atDigitalOcean = { provider: 'digitalocean', region: 'nyc3', size: 's-2vcpu-4gb' };
    await serverIn(panel, tenant, { name: 'euros', installCloudOs: false }, 'READY');
    await serverIn(panel, tenant, { ...atDigitalOcean, name: 'dollars', installCloudOs: false }, 'READY');
    const budgets =
      'mutation($input: SetHostingBudgetInput!) { setHostingBudget(input: $input) { currency budget } }';
    await tenant.graphql(budgets, { input: { monthlyLimit: 100, currency: 'EUR' } });
    const { data } = await tenant.graphql(budgets, { input: { monthlyLimit: 30, currency: 'USD' } });
    expect(data).toEqual({
      setHostingBudget: [
        { currency: 'EUR', budget: 100 },
        { currency: 'USD', budget: 30 },
      ],
    });
    const costs = await tenant.graphql('{ hostingCosts { currency perHour perMonth } }');
    expect(costs.data).toEqual({
      hostingCosts: [
        { currency: 'EUR', perHour: 0.0068, perMonth: 4.29 },
        { currency: 'USD', perHour: 0.03571, perMonth: 24 },
      ],
    });
    const refused = await provision(tenant, { ...atDigitalOcean, name: 'more', installCloudOs: false });
    expect(refused.errors?.[0]?.extensions).toMatchObject({
      reason: 'BUDGET_EXCEEDED',
      details: { budget: 30, committed: 24, price: 24, currency: 'USD' },
    });
    expect((await provision(tenant, { name: 'more', installCloudOs: false })).errors).toBeUndefined();
  });
});

describe('policies', () => {
  const policy = async (tenant: Tenant, rule: object, more: Record<string, unknown> = {}) =>
    create(tenant, { name: 'P', enforcement: 'MANDATORY', rule, ...more });

  test('that are mandatory refuse a server over GraphQL and REST with their id and evidence, and nothing is kept', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const rule = { condition: 'custom.server.region', operator: 'in', value: ['nbg1', 'hel1'] };
    const id = await policy(tenant, rule, { name: 'In Nuremberg', resolution: 'Take nbg1.' });
    const sentence =
      `The mandatory policy ${id} (In Nuremberg) does not let this server be made: ` +
      'custom.server.region is "fsn1", and has to be in ["nbg1","hel1"]';
    const details = {
      policy: id,
      name: 'In Nuremberg',
      resolution: 'Take nbg1.',
      condition: 'custom.server.region',
      operator: 'in',
      expected: ['nbg1', 'hel1'],
      actual: 'fsn1',
      others: [],
    };
    const refused = await provision(tenant, { name: 'far-01' });
    expect(refused.errors?.[0]).toMatchObject({
      message: sentence,
      extensions: { code: 'CONFLICT', reason: 'POLICY_VIOLATION', details },
    });
    const body = {
      provider: 'hetzner',
      region: 'fsn1',
      size: 'cx22',
      name: 'far-01',
      install_cloud_os: false,
    };
    const rest = await tenant.rest('/api/hosting/servers', { body });
    expect([rest.status, rest.body]).toEqual([409, { error: sentence, details }]);
    expect(await placesKept(panel, tenant.id)).toBe(0);
    expect((await tenant.rest('/api/hosting/servers')).body).toEqual([]);
    expect(panel.hetzner.servers(token)).toEqual([]);
    const near = await tenant.rest('/api/hosting/servers', { body: { ...body, region: 'nbg1' } });
    expect(near.status).toBe(201);
  });

  test.each([
    [{ condition: 'action.kind', operator: 'not_equals', value: 'server.provision' }, 'server.provision'],
    [{ condition: 'os.name', operator: 'equals', value: 'Debian GNU/Linux' }, 'Ubuntu'],
    [{ condition: 'arch', operator: 'equals', value: 'arm64' }, 'x64'],
    [{ condition: 'custom.server.price_monthly', operator: 'lte', value: 3 }, 4.29],
    [{ condition: 'custom.server.currency', operator: 'equals', value: 'USD' }, 'EUR'],
    [{ condition: 'custom.server.size', operator: 'matches', value: '^cax' }, 'cx22'],
    [{ condition: 'custom.server.country', operator: 'in', value: ['FI'] }, 'DE'],
    [{ condition: 'custom.server.memory_gb', operator: 'gte', value: 8 }, 4],
  ])('may be about what is known of a server before it is made: %j', async (rule, actual) => {
    const { tenant } = await hostingTenant(panel);
    const id = await policy(tenant, rule);
    const { errors } = await provision(tenant, { name: 'asked', installCloudOs: false });
    expect(errors?.[0]?.extensions).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { policy: id, condition: rule.condition, actual },
    });
  });

  test('that are not for it let a server be made: other tags, advisory ones, and what is unknown', async () => {
    const { tenant } = await hostingTenant(panel);
    const rule = { condition: 'custom.server.provider', operator: 'equals', value: 'digitalocean' };
    const id = await policy(tenant, rule, { appliesTo: { tags: ['production'] } });
    await policy(tenant, rule, { name: 'Advice', enforcement: 'ADVISORY' });
    await policy(tenant, encrypted, { name: 'Of what nobody knows yet' });
    const tagged = { name: 'tagged', tags: ['production', 'web'], installCloudOs: false };
    expect((await provision(tenant, tagged)).errors?.[0]?.extensions['details']).toMatchObject({
      policy: id,
    });
    expect((await provision(tenant, { ...tagged, tags: ['web'] })).errors).toBeUndefined();
    const change = await tenant.rest(`/api/governance/policies/${id}`, {
      method: 'PUT',
      body: { enforcement: 'advisory' },
    });
    expect(change.status).toBe(200);
    expect((await provision(tenant, { ...tagged, name: 'advised' })).errors).toBeUndefined();
    const wrong = await provision(tenant, { name: 'wrong', tags: ['No Tag'] });
    expect(wrong.errors?.[0]?.extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.tags.0': expect.any(String) },
    });
  });
});

test('deleted servers stay in the record for as long as the setting says', async () => {
  const { tenant } = await hostingTenant(panel);
  const { id } = await serverIn(panel, tenant, { name: 'former', installCloudOs: false }, 'READY');
  await decommission(tenant, id);
  await reaches(panel, tenant, id, 'DELETED');
  const age = async (days: number) => {
    const at = new Date(panel.clock.now().getTime() - days * 86_400_000);
    await panel.sql('update hosting.server set deleted_at = $2 where id = $1', [id, at]);
    await panel.clock.leap(61 * 60_000);
  };
  await age(399);
  const later = await signedIn(tenant);
  expect(await serverOf(later, id)).toMatchObject({ status: 'DELETED' });
  await age(401);
  const rows = async () => panel.sql('select 1 from hosting.server where id = $1', [id]);
  await panel.pass(async () => (await rows()).length === 0, 'the record to end');
});

test('a server at a real provider becomes a node only where the operator has said what installs Cloud OS', async () => {
  // Nobody is asked: the account is as if it had been looked at just now.
  await using real = await startTestPanel({
    HETZNER_API_BASE: 'https://api.hetzner.cloud/v1',
    CLOUD_OS_INSTALLER: '',
  });
  const tenant = await real.world.tenant();
  await hosting({ panel: real, tenant, word: 'real', node: await tenant.node() } as never);
  const { errors } = await provision(tenant, { name: 'no-installer' });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'INSTALLER_UNSET' });
  expect(errors?.[0]?.message).toContain('CLOUD_OS_INSTALLER');
  expect(await placesKept(real, tenant.id)).toBe(0);
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
    expect(await placesKept(panel, tenant.id)).toBe(1);
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
    const drain = async () => {
      expect((await decommission(tenant, id, { drainSeconds: 20 })).data?.decommissionServer).toMatchObject({
        status: 'DELETING',
        phase: 'DRAINING',
      });
      await panel.clock.advance(5_000);
      expect(await serverOf(tenant, id)).toMatchObject({ phase: 'DRAINING' });
    };
    await drain();
    // Who protects it while it is drained has it back.
    expect((await protect(true)).data).toEqual({ protectServer: { isProtected: true } });
    expect(await serverOf(tenant, id)).toMatchObject({ phase: 'READY', status: 'RUNNING' });
    await panel.clock.advance(30_000);
    expect(await serverOf(tenant, id)).toMatchObject({ phase: 'READY' });
    expect((await decommission(tenant, id)).errors?.[0]?.extensions['reason']).toBe('SERVER_PROTECTED');
    await protect(false);
    await drain();
    expect(panel.hetzner.servers(token)).toHaveLength(1);
    await panel.pass(async () => (await serverOf(tenant, id)).phase === 'DELETING', 'the drain to be over');
    expect((await protect(true)).errors?.[0]?.extensions['reason']).toBe('SERVER_DELETED');
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
    expect(await placesKept(panel, tenant.id)).toBe(0);
  });
});

test('thirty servers at once cost a thirtieth of an hour of requests, none of which is refused', async () => {
  const { tenant, token } = await hostingTenant(panel);
  await tenant.grantPlan('ENTERPRISE');
  const before = panel.hetzner.requests()['all']!;
  const made = await Promise.all(
    Array.from({ length: 30 }, async (_, index) =>
      provision(tenant, { name: `many-${index}`, installCloudOs: index < 3 }),
    ),
  );
  for (const { errors } of made) expect(errors).toBeUndefined();
  const areRunning = async () => {
    const { body } = await tenant.rest<{ status: string }[]>('/api/hosting/servers');
    return body.length === 30 && body.every(({ status }) => status === 'running');
  };
  await panel.pass(areRunning, 'all to run', 1_000);
  expect(panel.hetzner.servers(token)).toHaveLength(30);
  expect(panel.hetzner.requests()['all']! - before).toBeLessThan(120);
  expect(panel.hetzner.requests()['refused'] ?? 0).toBe(0);
});

test('no secret is in any answer, event, audit row, job or other row of all that came about here', async () => {
  expect(await panel.leaks()).toEqual([]);
});
