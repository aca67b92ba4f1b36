import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { dataOf } from '../support/answers.js';
import { HeldLock } from '../support/held-lock.js';
import { until } from '../support/world.js';
import { asked, droplet, makeDroplet, minutes, namesAt, rowOf } from './support/at-provider.js';
import {
  connect,
  decommission,
  hostingTenant,
  placesKept,
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
  panel = await startHostingPanel({ settings: { PROVIDER_TIMEOUT_SECONDS: '5' } });
});
afterAll(async () => panel.stop());

const reason = async (id: string) => (await rowOf<{ reason: string | null }>(panel, id, 'reason')).reason;

/** Moves time on, and waits until what is at the provider has been compared since. */
async function compared(tenantId: string, after: number): Promise<void> {
  await panel.clock.leap(after);
  const from = panel.clock.now();
  await panel.pass(async () => {
    const [account] = await panel.sql<{ at: Date }>(
      'select last_checked_at as at from hosting.provider_account where tenant_id = $1',
      [tenantId],
    );
    return account!.at >= from;
  }, 'a look');
}

describe('several servers with the same marks', () => {
  const known = async (id: string) => rowOf(panel, id, 'phase, reason, provider_id, billed_to');

  test('the one that is left of two is the server from then on and is paid for, also when the other was missed before', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    const at = (name: string) => panel.digitalocean.servers(token).find((each) => each.name === name)!;
    const first = await serverIn(panel, tenant, { ...droplet, name: 'first' }, 'READY');
    const missed = await serverIn(panel, tenant, { ...droplet, name: 'missed' }, 'READY');
    const tags = Object.keys(at('missed').labels);
    await makeDroplet(panel, token, 'first-again', Object.keys(at('first').labels));
    panel.digitalocean.removeServer(token, 'first');
    panel.digitalocean.removeServer(token, 'missed');
    await compared(tenant.id, minutes(11));
    const isReady = { phase: 'READY', reason: null, billed_to: null };
    expect(await known(first.id)).toEqual({ ...isReady, provider_id: String(at('first-again').id) });
    await compared(tenant.id, minutes(6));
    expect(await reason(missed.id)).toBe('SERVER_GONE');
    const costs = async () =>
      (await (await signedIn(tenant)).graphql('{ hostingCosts { perMonth } }')).data?.['hostingCosts'];
    expect(await costs()).toEqual([{ perMonth: 24 }]);
    await makeDroplet(panel, token, 'missed-again', tags);
    await compared(tenant.id, minutes(11));
    expect(await known(missed.id)).toEqual({ ...isReady, provider_id: String(at('missed-again').id) });
    expect(await costs()).toEqual([{ perMonth: 48 }]);
    expect(namesAt(panel.digitalocean, token)).toEqual(['first-again', 'missed-again']);
  });

  test('of those that nobody asked for one is shown, and none is taken down', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
    const { id } = await serverIn(panel, tenant, { ...droplet, name: 'ours' }, 'READY');
    const tags = Object.keys(panel.digitalocean.servers(token)[0]!.labels);
    for (const name of ['stray-1', 'stray-2'])
      await makeDroplet(
        panel,
        token,
        name,
        tags.map((tag) => tag.replace(id, 'srv_unasked_pair')),
      );
    const [, stray, other] = panel.digitalocean.servers(token);
    const isOrphan = { phase: 'ORPHANED', reason: 'UNASKED', billed_to: null };
    for (const after of [minutes(11), minutes(6)]) {
      await compared(tenant.id, after);
      expect(namesAt(panel.digitalocean, token)).toEqual(['ours', 'stray-1', 'stray-2']);
      expect(await known('srv_unasked_pair')).toEqual({ ...isOrphan, provider_id: String(stray!.id) });
    }
    panel.digitalocean.removeServer(token, 'stray-1');
    await compared(tenant.id, minutes(6));
    expect(await known('srv_unasked_pair')).toEqual({ ...isOrphan, provider_id: String(other!.id) });
  });

  test('one that the provider does not delete holds up no other', async () => {
    const { tenant, token } = await hostingTenant(panel);
    const former = await serverIn(panel, tenant, { name: 'former', installCloudOs: false }, 'READY');
    const { labels } = panel.hetzner.servers(token)[0]!;
    const lost = await serverIn(panel, tenant, { name: 'lost', installCloudOs: false }, 'READY');
    expect((await decommission(tenant, former.id)).errors).toBeUndefined();
    await reaches(panel, tenant, former.id, 'DELETED');
    const { status } = await fetch(`${panel.hetzner.url}/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'former-again', server_type: 'cx22', image: 'debian-12', labels }),
    });
    expect(status).toBe(201);
    const again = panel.hetzner.servers(token).find(({ name }) => name === 'former-again')!;
    panel.hetzner.addFault({
      kind: 'error',
      method: 'DELETE',
      path: `/v1/servers/${again.id}`,
      code: 'protected',
      next: 100,
    });
    panel.hetzner.removeServer(token, 'lost');
    for (const after of [minutes(6), minutes(6)]) await compared(tenant.id, after);
    expect(await reason(lost.id)).toBe('SERVER_GONE');
    expect(namesAt(panel.hetzner, token)).toEqual(['former-again']);
    panel.hetzner.clearFaults();
    await panel.clock.leap(minutes(6));
    await panel.pass(() => namesAt(panel.hetzner, token).length === 0, 'it to be deleted after all');
  });
});

test('a server that is protected at the provider is told once, and deleted when it is released and asked for again', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const { id } = await serverIn(panel, tenant, { name: 'held', installCloudOs: false }, 'READY');
  const { id: providerId } = panel.hetzner.servers(token)[0]!;
  const protect = async (on: boolean) => {
    const { status } = await fetch(`${panel.hetzner.url}/servers/${providerId}/actions/change_protection`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ delete: on, rebuild: on }),
    });
    expect(status).toBe(201);
  };
  await protect(true);
  const told = async () =>
    (
      await panel.sql<{ count: number }>(
        `select count(*)::int as count from hosting.outbox where topic = 'hosting.server.changed' and entity_id = $1`,
        [id],
      )
    )[0]!.count;
  const failures = async () => (await rowOf<{ failures: number }>(panel, id, 'failures')).failures;
  expect((await decommission(tenant, id)).errors).toBeUndefined();
  await panel.pass(async () => (await reason(id)) === 'DELETION_DELAYED', 'the refusal');
  expect((await rowOf<{ message: string }>(panel, id, 'message')).message).toContain('protected');
  const before = await told();
  await panel.pass(async () => (await failures()) >= 5, 'it to be tried again and again');
  expect(await told()).toBe(before);
  const { due } = await rowOf<{ due: Date }>(panel, id, 'due_at as due');
  // People take their time: it is not asked for each minute any more.
  expect(due.getTime() - panel.clock.now().getTime()).toBeGreaterThan(minutes(5));
  await protect(false);
  expect((await decommission(await signedIn(tenant), id)).errors).toBeUndefined();
  await panel.pass(async () => namesAt(panel.hetzner, token).length === 0, 'it to be deleted');
});

describe('a wish that waited while the panel was away', () => {
  /** The provider was away as well at first. */
  const waiting = async (name: string, more: Record<string, unknown> = {}) => {
    const { tenant, token } = await hostingTenant(panel);
    panel.hetzner.addFault({ kind: 'drop_before', method: 'POST', body: name });
    const id = await asked(tenant, { name, ...more });
    await until(async () => (await reason(id)) === 'PROVIDER_AWAY', 'the first call to fail', 120_000);
    return { tenant, token, id };
  };

  test('has the time that a server takes from its last call on', async () => {
    const { tenant, token, id } = await waiting('resumed', { installCloudOs: false });
    await panel.clock.leap(minutes(61));
    await reaches(panel, await signedIn(tenant), id, 'READY');
    expect(namesAt(panel.hetzner, token)).toEqual(['resumed']);
  });

  test('for a server whose node would come too late to enroll fails before anything is paid for', async () => {
    const { tenant, token, id } = await waiting('tardy');
    await panel.clock.leap(minutes(95));
    const later = await signedIn(tenant);
    await reaches(panel, later, id, 'FAILED');
    expect(await serverOf(later, id)).toMatchObject({
      reason: 'REFUSED',
      message: expect.stringContaining('too late to enroll'),
      providerId: null,
    });
    expect(namesAt(panel.hetzner, token)).toEqual([]);
    expect(await placesKept(panel, tenant.id)).toBe(0);
  });
});

test('where names are not unique a call without an answer has a minute to take effect before there is another', async () => {
  const { tenant, token } = await hostingTenant(panel, 'PRO', 'digitalocean');
  panel.digitalocean.addFault({ kind: 'delay_before', delayMs: 8_000, method: 'POST', body: 'belated' });
  const id = await asked(tenant, { ...droplet, name: 'belated' });
  await until(async () => (await reason(id)) === 'PROVIDER_AWAY', 'the call to be given up', 120_000);
  const { due_at: dueAt } = await rowOf<{ due_at: Date }>(panel, id, 'due_at');
  expect(dueAt.getTime() - panel.clock.now().getTime()).toBeGreaterThan(50_000);
  await until(async () => namesAt(panel.digitalocean, token).length === 1, 'it to take effect', 120_000);
  await reaches(panel, tenant, id, 'READY');
  expect(namesAt(panel.digitalocean, token)).toEqual(['belated']);
});

test('what a token that was replaced meanwhile is told says nothing of the one in its place', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const next = panel.hetzner.token();
  await panel.clock.leap(minutes(6));
  panel.hetzner.addFault({ kind: 'delay', delayMs: 3_000, method: 'GET', path: '/v1/pricing' });
  const asks = () => panel.hetzner.requests()['GET /pricing'] ?? 0;
  const before = asks();
  const forecast = tenant.graphql(
    '{ serverForecast(provider: "hetzner", region: "fsn1", size: "cx22") { location } }',
  );
  await until(async () => asks() > before, 'the catalogue to be asked for');
  panel.hetzner.revoke(token);
  expect((await connect(tenant, next)).errors).toBeUndefined();
  // What is known of the catalogue does.
  expect((await forecast).data).toEqual({ serverForecast: { location: 'fsn1' } });
  const { data } = await tenant.graphql<{ hostingProviders: { id: string }[] }>(
    '{ hostingProviders { id status problem } }',
  );
  expect(data!.hostingProviders.find(({ id }) => id === 'hetzner')).toEqual({
    id: 'hetzner',
    status: 'ACTIVE',
    problem: null,
  });
});

test('an account is not let go of while a server is about to be made with it', async () => {
  const { tenant } = await hostingTenant(panel);
  panel.hetzner.addFault({ kind: 'error', method: 'POST', path: '/v1/servers', code: 'invalid_input' });
  const { id } = await serverIn(panel, tenant, { name: 'about', installCloudOs: false }, 'FAILED');
  // As a step begins a call.
  const step = await HeldLock.by(
    panel,
    'select 1 from hosting.provider_account where tenant_id = $1 for share',
    [tenant.id],
  );
  const disconnecting = tenant.graphql('mutation { disconnectProvider(provider: "hetzner") { status } }');
  await step.wanted();
  await step.query(`update hosting.server set phase = 'CREATING' where id = $1`, [id]);
  await step.release();
  expect((await disconnecting).errors?.[0]?.extensions).toMatchObject({ reason: 'SERVERS_LEFT' });
  await step[Symbol.asyncDispose]();
});

test('servers of an account that was closed are let go of with it, cost no more, and stay should it come back', async () => {
  const { tenant } = await hostingTenant(panel);
  const token = panel.hetzner.token({ project: 'closed' });
  expect((await connect(tenant, token)).errors).toBeUndefined();
  const kept = await serverIn(panel, tenant, { name: 'left-node' }, 'READY');
  const going = await serverIn(panel, tenant, { name: 'left-going', installCloudOs: false }, 'READY');
  panel.hetzner.revoke(token);
  expect((await decommission(tenant, going.id)).errors).toBeUndefined();
  await panel.pass(async () => (await reason(going.id)) === 'DELETION_DELAYED', 'the refusal');
  const disconnect = async (more = '') =>
    tenant.graphql(`mutation { disconnectProvider(provider: "hetzner"${more}) { status } }`);
  expect((await disconnect()).errors?.[0]?.extensions).toMatchObject({
    reason: 'SERVERS_LEFT',
    details: { servers: 2 },
  });
  expect((await disconnect(', leavesServers: true')).data).toEqual({
    disconnectProvider: { status: 'UNCONFIGURED' },
  });
  expect((await tenant.graphql('{ hostingCosts { perMonth } }')).data).toEqual({
    hostingCosts: [{ perMonth: 0 }],
  });
  for (const { id } of [kept, going]) {
    await reaches(panel, tenant, id, 'DELETED');
    expect(await reason(id)).toBe('LEFT_BEHIND');
  }
  expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toEqual([]);
  const again = panel.hetzner.token({ project: 'closed' });
  expect((await connect(tenant, again)).errors).toBeUndefined();
  for (const after of [minutes(11), minutes(6)]) await compared(tenant.id, after);
  expect(namesAt(panel.hetzner, again)).toEqual(['left-going', 'left-node']);
});

test('costs end with a server that the provider has no more, also while fleet does not let its node go', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const { id } = await serverIn(panel, tenant, { name: 'ending' }, 'READY');
  expect((await decommission(tenant, id, { drainSeconds: 0 })).errors).toBeUndefined();
  const change = async (what: string) =>
    panel.world.graphql(
      `mutation($id: ID!) { ${what}(id: $id) { id } }`,
      { id: tenant.id },
      await panel.world.administrator(),
    );
  expect((await change('suspendTenant')).errors).toBeUndefined();
  await until(async () => (await tenant.rest('/api/fleet/instances')).status === 401, 'the refusal', 60_000);
  await panel.pass(() => namesAt(panel.hetzner, token).length === 0, 'it to be taken down');
  const state = async () =>
    rowOf<{ is_ended: boolean }>(panel, id, 'phase, reason, billed_to is not null as is_ended');
  await panel.pass(async () => (await state()).is_ended, 'its costs to end');
  expect(await state()).toEqual({ phase: 'DELETING', reason: 'DELETION_DELAYED', is_ended: true });
  expect((await change('restoreTenant')).errors).toBeUndefined();
  const later = await signedIn(tenant);
  expect((await later.graphql('{ hostingCosts { perMonth } }')).data).toEqual({
    hostingCosts: [{ perMonth: 0 }],
  });
  expect((await serverOf(later, id)).phase).toBe('DELETING');
  await panel.clock.leap(minutes(6));
  await reaches(panel, later, id, 'DELETED');
});

test('one key has the first answer again, whatever has become of the server', async () => {
  const { tenant } = await hostingTenant(panel);
  const post = async () =>
    (await signedIn(tenant)).rest<{ id: string; status: string }>('/api/hosting/servers', {
      body: { provider: 'hetzner', region: 'fsn1', size: 'cx22', name: 'again', install_cloud_os: false },
      headers: { 'idempotency-key': 's1' },
    });
  const first = await post();
  expect(first).toMatchObject({ status: 201, body: { status: 'provisioning', ip_address: null } });
  const { id } = first.body;
  await reaches(panel, tenant, id, 'READY');
  expect((await post()).body).toEqual(first.body);
  const remove = async () => dataOf(await decommission(await signedIn(tenant), id, { idempotencyKey: 'd1' }));
  const removed = await remove();
  expect(removed.decommissionServer.phase).toBe('DELETING');
  await reaches(panel, tenant, id, 'DELETED');
  expect(await remove()).toEqual(removed);
  expect((await post()).body).toEqual(first.body);
});
