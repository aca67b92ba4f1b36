import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { until } from '../support/world.js';
import { asked, droplet, makeDroplet, minutes, namesAt, rowOf } from './support/at-provider.js';
import {
  connect,
  decommission,
  hostingTenant,
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
  panel = await startHostingPanel({ settings: { PROVIDER_TIMEOUT_SECONDS: '20' } });
});
afterAll(async () => panel.stop());

const reasonOf = async (answer: ReturnType<typeof connect>) =>
  (await answer).errors?.[0]?.extensions['reason'];

describe('another token', () => {
  const plain = { installCloudOs: false };
  const tenantIn = async (project: string) => {
    const tenant = await panel.world.tenant();
    const token = panel.hetzner.token({ project });
    expect((await connect(tenant, token)).errors).toBeUndefined();
    return { tenant, token };
  };

  test('of the same project is taken while servers are there, one of another only when they may be left behind', async () => {
    const { tenant, token } = await tenantIn('home');
    const { id } = await serverIn(panel, tenant, { ...plain, name: 'kept' }, 'READY');
    const other = panel.hetzner.token({ project: 'away' });
    const refused = await connect(tenant, other);
    expect(refused.errors?.[0]).toMatchObject({
      message: expect.stringContaining('does not show the 1 servers'),
      extensions: { code: 'CONFLICT', reason: 'OTHER_PROJECT', details: { servers: 1 } },
    });
    // Neither does a token that has ended tell that nothing is there.
    const second = panel.hetzner.token({ project: 'home' });
    panel.hetzner.revoke(token);
    expect(await reasonOf(connect(tenant, other))).toBe('OTHER_PROJECT');
    // Marks are of the panel's address; what is known by its id is found without them.
    panel.hetzner.servers(second)[0]!.labels = {};
    expect(await reasonOf(connect(tenant, second))).toBeUndefined();
    const left = await tenant.graphql(
      'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { status } }',
      { input: { provider: 'hetzner', token: other, leavesServers: true } },
    );
    expect(left.data).toEqual({ connectProvider: { status: 'ACTIVE' } });
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(namesAt(panel.hetzner, second)).toEqual(['kept']);
  });

  test('of a project that was left is of another one, whatever of it is known, until it is gone back to', async () => {
    const { tenant, token } = await tenantIn('left');
    await serverIn(panel, tenant, { ...plain, name: 'old' }, 'READY');
    const leave = async (to: string) =>
      tenant.graphql(
        'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { status } }',
        { input: { provider: 'hetzner', token: to, leavesServers: true } },
      );
    const next = panel.hetzner.token({ project: 'next' });
    expect((await leave(next)).errors).toBeUndefined();
    expect(await reasonOf(connect(tenant, next))).toBeUndefined();
    const { id } = await serverIn(panel, tenant, { ...plain, name: 'new' }, 'READY');
    expect((await connect(tenant, token)).errors?.[0]?.extensions).toMatchObject({
      reason: 'OTHER_PROJECT',
      details: { servers: 1 },
    });
    expect(await reasonOf(connect(tenant, panel.hetzner.token({ project: 'next' })))).toBeUndefined();
    expect((await leave(token)).errors).toBeUndefined();
    expect(await reasonOf(connect(tenant, next))).toBe('OTHER_PROJECT');
    expect(await reasonOf(connect(tenant, panel.hetzner.token({ project: 'left' })))).toBeUndefined();
    expect((await leave(next)).errors).toBeUndefined();
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(namesAt(panel.hetzner, next)).toEqual([]);
    expect(namesAt(panel.hetzner, token)).toEqual(['old']);
  });

  test('of another project is taken once nothing is left in the one before', async () => {
    const { tenant, token } = await tenantIn('emptied');
    await serverIn(panel, tenant, { ...plain, name: 'by-hand' }, 'READY');
    panel.hetzner.removeServer(token, 'by-hand');
    expect(await reasonOf(connect(tenant, panel.hetzner.token()))).toBeUndefined();
  });

  test('goes on with what waited for it: a token that was revoked keeps nothing under way for ever', async () => {
    const { tenant, token } = await tenantIn('rotated');
    const id = await asked(tenant, { ...plain, name: 'half' });
    await until(async () => (await serverOf(tenant, id)).providerId !== null, 'it to be made', 120_000);
    panel.hetzner.revoke(token);
    await panel.clock.leap(minutes(11));
    const later = await signedIn(tenant);
    await reaches(panel, later, id, 'FAILED');
    expect(await serverOf(later, id)).toMatchObject({
      reason: 'TOKEN_REFUSED',
      message: expect.stringContaining('unable to authenticate'),
    });
    const next = panel.hetzner.token({ project: 'rotated' });
    expect(namesAt(panel.hetzner, next)).toEqual(['half']);
    expect(await reasonOf(connect(later, next))).toBeUndefined();
    await panel.pass(() => namesAt(panel.hetzner, next).length === 0, 'what failed to be taken down');
  });
});

test('a server whose marks were taken away is asked for by its id; one that is gone keeps it, and may come back', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const { id, providerId } = await serverIn(panel, tenant, { name: 'bare', installCloudOs: false }, 'READY');
  const server = panel.hetzner.servers(token)[0]!;
  const { labels } = server;
  server.labels = {};
  const missing = async () =>
    (await rowOf<{ missing_since: Date | null }>(panel, id, 'missing_since')).missing_since;
  const looks = async (count: number) => {
    for (let at = 0; at < count; at += 1) {
      const before = await missing();
      await panel.clock.leap(minutes(6));
      await panel.pass(async () => (await missing())?.getTime() !== before?.getTime(), 'a look');
    }
  };
  await looks(3);
  expect(await rowOf(panel, id, 'phase, reason, provider_id')).toEqual({
    phase: 'READY',
    reason: null,
    provider_id: providerId,
  });
  panel.hetzner.removeServer(token, 'bare');
  const state = async () => Object.values(await rowOf(panel, id, 'phase, reason, provider_id')).join(' ');
  await panel.clock.leap(minutes(6));
  await panel.pass(async () => (await state()) === `FAILED SERVER_GONE ${providerId}`, 'it to be missed');
  const later = await signedIn(tenant);
  const costs = async () => (await later.graphql('{ hostingCosts { perMonth } }')).data?.['hostingCosts'];
  expect(await costs()).toEqual([{ perMonth: 0 }]);
  (panel.hetzner.servers(token) as (typeof server)[]).push({ ...server, labels });
  await panel.clock.leap(minutes(6));
  await panel.pass(async () => (await state()) === `READY  ${providerId}`, 'it to be seen again');
  const again = await signedIn(tenant);
  expect((await decommission(again, id)).errors).toBeUndefined();
  await reaches(panel, again, id, 'DELETED');
  expect(namesAt(panel.hetzner, token)).toEqual([]);
});

describe('where names are not unique', () => {
  test('a second droplet of one server goes with it, while its tag still tells', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    const { id } = await serverIn(panel, tenant, { ...droplet, name: 'twin' }, 'READY');
    await makeDroplet(panel, token, 'twin', Object.keys(panel.digitalocean.servers(token)[0]!.labels));
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(namesAt(panel.digitalocean, token)).toEqual([]);
  });

  test('a wish whose call takes its time is not called for by another step', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    panel.digitalocean.addFault({ kind: 'delay_before', delayMs: 10_000, method: 'POST', body: 'patient' });
    const id = await asked(tenant, { ...droplet, name: 'patient' });
    const row = async () =>
      rowOf<{ calls: number; phase: string }>(panel, id, 'create_calls as calls, phase');
    await until(async () => (await row()).calls === 1, 'the call', 120_000);
    await panel.sql('update hosting.server set due_at = $2 where id = $1', [id, panel.clock.now()]);
    await panel.clock.advance(3_000);
    const steps = async (state: string) => {
      const [found] = await panel.sql<{ count: number }>(
        `select count(*)::int as count from jobs.job
         where name = 'hosting.server.advance' and data->>'serverId' = $1 and state::text = $2`,
        [id, state],
      );
      return found!.count;
    };
    await until(async () => (await steps('completed')) > 0, 'another step to end', 120_000);
    await until(async () => (await serverOf(tenant, id)).providerId !== null, 'the answer', 120_000);
    await reaches(panel, tenant, id, 'READY');
    expect(namesAt(panel.digitalocean, token)).toEqual(['patient']);
    expect((await row()).calls).toBe(1);
  });

  test('a node that is faster than the answer leaves its server known by its id, its address and its price', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    panel.digitalocean.addFault({ kind: 'drop_after_commit', method: 'POST', body: 'quick-01' });
    const id = await asked(tenant, { ...droplet, name: 'quick-01', installCloudOs: true });
    await until(async () => namesAt(panel.digitalocean, token).length === 1, 'it to be made', 120_000);
    // Nobody finds it before its node has come.
    panel.digitalocean.addFault({ kind: 'drop_before', method: 'GET', path: '/v2/droplets', next: 2 });
    await reaches(panel, tenant, id, 'READY');
    // The next look at all of the account finds it.
    await panel.clock.leap(minutes(6));
    await panel.pass(async () => {
      const { providerId, ipAddress } = await serverOf(tenant, id);
      return providerId === String(panel.digitalocean.servers(token)[0]!.id) && ipAddress !== null;
    }, 'it to be found');
    panel.digitalocean.clearFaults();
    const { data } = await tenant.graphql<{ server: { costSoFar: number } }>(
      'query($id: ID!) { server(id: $id) { costSoFar } }',
      { id },
    );
    expect(data!.server.costSoFar).toBeGreaterThan(0);
    expect(await rowOf(panel, id, 'due_at')).toEqual({ due_at: null });
  });

  test('what nobody asked for is shown also when a server has its name', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    const { id } = await serverIn(panel, tenant, { ...droplet, name: 'same' }, 'READY');
    const tags = Object.keys(
      panel.digitalocean.servers(token).find(({ name }) => name === 'same')!.labels,
    ).map((tag) => tag.replace(id, 'srv_unasked_same'));
    await makeDroplet(panel, token, 'same', tags);
    await panel.clock.leap(minutes(11));
    const orphan = async () =>
      panel.sql<{ name: string }>(`select name from hosting.server where id = 'srv_unasked_same'`);
    await panel.pass(async () => (await orphan()).length === 1, 'the orphan');
    const made = panel.digitalocean
      .servers(token)
      .find(({ labels }) => 'qzr-server:srv_unasked_same' in labels)!;
    expect(await orphan()).toEqual([{ name: `same (${made.id})` }]);
    expect(namesAt(panel.digitalocean, token)).toEqual(['same', 'same']);
  });
});

test('a call that ends for good after one whose answer was lost leaves nothing that costs', async () => {
  const { tenant, token } = await hostingTenant(panel);
  panel.hetzner.addFault({ kind: 'drop_after_commit', method: 'POST', body: 'doubt' });
  const id = await asked(tenant, { name: 'doubt', installCloudOs: false });
  await until(async () => namesAt(panel.hetzner, token).length === 1, 'it to be made', 120_000);
  // Not listed yet, as where a provider's list is a moment behind.
  const server = panel.hetzner.servers(token)[0]!;
  const { labels } = server;
  server.labels = {};
  await reaches(panel, tenant, id, 'FAILED');
  expect(await serverOf(tenant, id)).toMatchObject({ reason: 'NAME_TAKEN' });
  const disconnect = () => tenant.graphql('mutation { disconnectProvider(provider: "hetzner") { status } }');
  expect((await disconnect()).errors?.[0]?.extensions['reason']).toBe('SERVERS_LEFT');
  server.labels = labels;
  await panel.pass(() => namesAt(panel.hetzner, token).length === 0, 'it to be taken down');
  await panel.pass(async () => (await disconnect()).errors === undefined, 'nothing to be left');
});

test('a suspended tenant, whose places fleet does not take back, has its servers followed all the same, and none made', async () => {
  const { tenant, token } = await hostingTenant(panel);
  panel.hetzner.addFault({ kind: 'action_error', method: 'POST', body: 'broken', code: 'x', message: 'no' });
  const broken = await asked(tenant, { name: 'broken' });
  const whole = await asked(tenant, { name: 'whole', installCloudOs: false });
  panel.hetzner.addFault({ kind: 'error', method: 'POST', body: 'late', code: 'server_error', next: 20 });
  const late = await asked(tenant, { name: 'late', installCloudOs: false });
  for (const id of [broken, whole])
    await until(async () => (await serverOf(tenant, id)).providerId !== null, 'both to be made', 120_000);
  const administrator = await panel.world.administrator();
  await panel.world.graphql(
    'mutation($id: ID!) { suspendTenant(id: $id) { id } }',
    { id: tenant.id },
    administrator,
  );
  await until(async () => (await tenant.rest('/api/fleet/instances')).status === 401, 'the refusal', 60_000);
  const phases = async () =>
    Promise.all(
      [broken, whole].map(async (id) => (await rowOf<{ phase: string }>(panel, id, 'phase')).phase),
    );
  await panel.pass(async () => (await phases()).join() === 'FAILED,READY', 'both to be settled');
  await panel.pass(() => namesAt(panel.hetzner, token).length === 1, 'the broken one to be taken down');
  const wish = async () => rowOf<{ reason: string | null }>(panel, late, 'reason');
  await panel.pass(
    async () => (await wish()).reason === 'TENANT_SUSPENDED',
    'what was not made to be given up',
  );
  expect(namesAt(panel.hetzner, token)).toEqual(['whole']);
});

test('many wishes at once are followed by looks that come one after another', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const many = 20;
  const from = panel.clock.now().getTime();
  await Promise.all(
    Array.from({ length: many }, async (_, at) =>
      asked(tenant, { name: `crowd-${at}`, installCloudOs: false }),
    ),
  );
  const states = async () =>
    panel.sql<{ phase: string }>('select phase from hosting.server where tenant_id = $1', [tenant.id]);
  const looks = async () => {
    const [row] = await panel.sql<{ count: number }>(
      `select count(*)::int as count from jobs.job
       where name = 'hosting.account.poll' and data->>'tenantId' = $1`,
      [tenant.id],
    );
    return row!.count;
  };
  const areReady = async () => (await states()).every(({ phase }) => phase === 'READY');
  await panel.pass(areReady, 'all to be ready', 1_000);
  const seconds = (panel.clock.now().getTime() - from) / 1000;
  expect(await looks()).toBeLessThanOrEqual(seconds + 2);
  expect(panel.hetzner.servers(token)).toHaveLength(many);
});

test('no secret is in any answer, event, audit row, job or other row of all that came about here', async () => {
  expect(await panel.leaks()).toEqual([]);
});
