import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { until } from '../support/world.js';
import {
  decommission,
  hostingTenant,
  places,
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

describe.each(places)('at $provider', ({ provider, region, size, called, quota }) => {
  const cloud = () => panel[provider];
  const start = async () => hostingTenant(panel, 'PRO', provider);
  const wish = (name: string, more: Record<string, unknown> = {}) => ({
    provider,
    region,
    size,
    name,
    ...more,
  });
  const namesAt = (token: string) =>
    cloud()
      .servers(token)
      .map(({ name }) => name)
      .toSorted();

  test('a server becomes a node that beats, costs what it costs, and leaves nothing behind', async () => {
    const { tenant, token } = await start();
    const { id, instanceId } = await serverIn(panel, tenant, wish('whole-01', { tags: ['web'] }), 'READY');
    // A node may be there before the provider has told its address.
    await panel.pass(async () => (await serverOf(tenant, id)).ipAddress !== null, 'the address');
    const shown = await tenant.graphql<{ server: { costSoFar: number } }>(
      `query($id: ID!) { server(id: $id) {
        ipAddress tags costSoFar currency instance { status tags score licence { plan } server { id } }
      } }`,
      { id },
    );
    expect(shown.errors).toBeUndefined();
    expect(shown.data?.server).toMatchObject({
      ipAddress: expect.stringMatching(/^198\.1[89]\./),
      tags: ['web'],
      currency: provider === 'hetzner' ? 'EUR' : 'USD',
      instance: { status: 'HEALTHY', tags: ['web'], licence: { plan: 'PRO' }, server: { id } },
    });
    expect(shown.data!.server.costSoFar).toBeGreaterThan(0);
    const states = await Promise.all(panel.nodes.map(async (node) => node.load()));
    const { credential } = states.find((state) => state?.instanceId === instanceId)!;
    const beat = async () =>
      (await panel.world.rest('/api/agent/heartbeat', { token: credential, body: {} })).status;
    // Let in, and judged for what it sends.
    expect(await beat()).toBe(422);
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(await beat()).toBe(401);
    expect(namesAt(token)).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toEqual([]);
    expect((await tenant.graphql(`{ instance(id: "${instanceId}") { id } }`)).errors).toBeDefined();
    expect(await placesKept(panel, tenant.id)).toBe(0);
    const left = async () =>
      panel.sql(
        `select 'governance' from governance.node where id = $1
         union all select 'billing' from billing.licence where tenant_id = $2 and instance_id = $1
           and freed_at is null`,
        [instanceId, tenant.id],
      );
    await until(async () => (await left()).length === 0, 'the others to know that it is gone');
  });

  test('a lost answer, a proxy that stumbles and a busy provider still make one server', async () => {
    const { tenant, token } = await start();
    cloud().addFault({ kind: 'drop_after_commit', method: 'POST', body: 'lost-01' });
    cloud().addFault({ kind: 'html', method: 'POST', body: 'proxy-01', next: 2 });
    cloud().addFault({ kind: 'error', method: 'POST', code: 'conflict', body: 'busy-01', next: 2 });
    cloud().addFault({ kind: 'delay', delayMs: 3_000, method: 'POST', body: 'slow-01' });
    const names = ['lost-01', 'proxy-01', 'busy-01', 'slow-01'];
    const made = await Promise.all(names.map(async (name) => provision(tenant, wish(name))));
    for (const { data } of made) await reaches(panel, tenant, data!.provisionServer.id, 'READY');
    expect(namesAt(token)).toEqual(names.toSorted());
  });

  test('a provider that stays away is told, and nothing is kept for the server', async () => {
    const { tenant } = await start();
    cloud().addFault({ kind: 'drop_before', method: 'POST', body: 'away-01', next: 5 });
    const away = await serverIn(panel, tenant, wish('away-01'), 'FAILED');
    expect(away).toMatchObject({
      status: 'FAILED',
      reason: 'PROVIDER_AWAY',
      message: `${called} can not be reached`,
    });
    expect(await placesKept(panel, tenant.id)).toBe(0);
    expect((await decommission(tenant, away.id)).errors).toBeUndefined();
  });

  test('a server whose creation fails half-way is taken down again', async () => {
    const { tenant, token } = await start();
    cloud().addFault({
      kind: 'action_error',
      method: 'POST',
      body: 'broken-01',
      code: 'action_failed',
      message: 'no',
    });
    const broken = await serverIn(panel, tenant, wish('broken-01'), 'FAILED');
    expect(broken).toMatchObject({
      reason: 'PROVIDER_FAILED',
      message: provider === 'hetzner' ? 'no (action_failed)' : 'DigitalOcean does not say why (errored)',
    });
    await panel.pass(() => namesAt(token).length === 0, 'the broken one to be taken down');
    expect(await placesKept(panel, tenant.id)).toBe(0);
  });

  test('a token that has ended is told, of the server and of the account', async () => {
    const { tenant, token } = await start();
    cloud().revoke(token);
    const ended = await serverIn(panel, tenant, wish('ended-01'), 'FAILED');
    expect(ended).toMatchObject({ reason: 'TOKEN_REFUSED' });
    const { body } = await tenant.rest<{ id: string; status: string }[]>('/api/hosting/providers');
    expect(body.find(({ id }) => id === provider)!.status).toBe('failing');
    expect((await provision(tenant, wish('more'))).errors?.[0]?.extensions['reason']).toBe('TOKEN_REFUSED');
    expect(await placesKept(panel, tenant.id)).toBe(0);
  });

  test('what the provider refuses is told in its words, and so is a token that may only read by now', async () => {
    const { tenant, token } = await start();
    const isHetzner = provider === 'hetzner';
    const refused = isHetzner
      ? { code: 'invalid_input', message: "invalid input in field 'name'" }
      : { code: 'unprocessable_entity', message: 'Only valid hostname characters are allowed.' };
    cloud().addFault({ kind: 'error', method: 'POST', body: 'odd-name', ...refused });
    const failed = await serverIn(panel, tenant, wish('odd-name'), 'FAILED');
    expect(failed).toMatchObject({
      reason: 'REFUSED',
      message: `${called}: ${refused.message} (${refused.code})`,
    });
    const readOnly = isHetzner
      ? { code: 'token_readonly', message: 'only GET' }
      : { code: 'forbidden', message: 'You are not authorized to perform this operation' };
    cloud().addFault({ kind: 'error', method: 'POST', body: 'reader', ...readOnly });
    expect(await serverIn(panel, tenant, wish('reader'), 'FAILED')).toMatchObject({
      reason: 'TOKEN_REFUSED',
    });
    expect((await provision(tenant, wish('more'))).errors?.[0]?.extensions['reason']).toBe('TOKEN_REFUSED');
    expect(await placesKept(panel, tenant.id)).toBe(0);
    expect(namesAt(token)).toEqual([]);
  });

  test('a server of the same name that somebody else made is left alone; a quota is told', async () => {
    const { tenant, token } = await start();
    const isHetzner = provider === 'hetzner';
    await fetch(`${cloud().url}/${isHetzner ? 'servers' : 'droplets'}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({
        name: 'mine',
        ...(isHetzner
          ? { server_type: size, image: 'debian-12', labels: { 'qzr-server': 'other' } }
          : { size, region, image: 'debian-12-x64', tags: ['qzr-server:other'] }),
      }),
    });
    const [foreign] = cloud().servers(token);
    // Names are unique in a project of Hetzner's, and nowhere at DigitalOcean.
    const mine = await serverIn(panel, tenant, wish('mine'), isHetzner ? 'FAILED' : 'READY');
    expect(mine.reason).toBe(isHetzner ? 'NAME_TAKEN' : null);
    expect(mine.providerId).not.toBe(String(foreign!.id));
    expect((await decommission(tenant, mine.id)).errors).toBeUndefined();
    await reaches(panel, tenant, mine.id, 'DELETED');
    cloud().addFault({ kind: 'error', method: 'POST', body: 'quota', ...quota });
    expect(await serverIn(panel, tenant, wish('quota'), 'FAILED')).toMatchObject({ reason: 'QUOTA_REACHED' });
    expect(cloud().servers(token)).toEqual([foreign]);
  });

  test('a size that is sold out at the last moment is told with what can be had', async () => {
    const { tenant } = await start();
    cloud().sellOut(`${size}@${region}`);
    const failed = await serverIn(panel, tenant, wish('late'), 'FAILED');
    cloud().restock();
    expect(failed).toMatchObject({
      reason: 'SOLD_OUT',
      message: expect.stringMatching(new RegExp(`to be had: .*${size} in (nbg1|hel1|nyc1|fra1)`)),
    });
    expect(await placesKept(panel, tenant.id)).toBe(0);
  });

  test('what is there and what is known are compared both ways, and the marks of others are left alone', async () => {
    const { tenant, token } = await start();
    const gone = await serverIn(panel, tenant, wish('gone', { installCloudOs: false }), 'READY');
    const { labels } = cloud().servers(token)[0]!;
    const isHetzner = provider === 'hetzner';
    const put = async (name: string, more: Partial<Record<'panel' | 'tenant' | 'server', string>>) => {
      const mark = (kind: 'panel' | 'tenant' | 'server') =>
        more[kind] ??
        (isHetzner
          ? labels[`qzr-${kind}`]
          : Object.keys(labels)
              .find((tag) => tag.startsWith(`qzr-${kind}:`))
              ?.split(':')[1]);
      const marks = (['panel', 'tenant', 'server'] as const).map((kind) => [`qzr-${kind}`, mark(kind)]);
      const { status } = await fetch(`${cloud().url}/${isHetzner ? 'servers' : 'droplets'}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          name,
          ...(isHetzner
            ? { server_type: size, image: 'debian-12', labels: Object.fromEntries(marks) }
            : { size, region, image: 'debian-12-x64', tags: marks.map((each) => each.join(':')) }),
        }),
      });
      expect(status).toBeLessThan(300);
    };
    const unasked = `srv_unasked_${provider}`;
    await put('foreign-panel', { panel: 'another', server: 'srv_of_another' });
    await put('foreign-tenant', { tenant: 'org_other', server: 'srv_of_other' });
    await put('unasked', { server: unasked });
    await put('double', {});
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
    // It is paid for as any other, since it was made.
    const costs = await panel.sql<{ size: string; perMonth: number; isBilled: boolean }>(
      `select size, price_monthly::float8 as "perMonth", billed_from = created_at as "isBilled"
       from hosting.server where tenant_id = $1 and name in ('gone', 'unasked')`,
      [tenant.id],
    );
    expect(costs).toHaveLength(2);
    for (const row of costs) expect(row).toMatchObject({ size, perMonth: costs[0]!.perMonth });
    expect(costs.map(({ isBilled }) => isBilled)).toContain(true);
    expect(costs[0]!.perMonth).toBeGreaterThan(0);
    await panel.pass(() => !namesAt(token).includes('double'), 'the second one to be taken down');
    expect(namesAt(token)).toContain('gone');
    cloud().removeServer(token, 'gone');
    await panel.clock.leap(6 * 60_000);
    await becomes('gone FAILED SERVER_GONE');
    expect(namesAt(token)).toEqual(['foreign-panel', 'foreign-tenant', 'unasked']);
    const later = await signedIn(tenant);
    expect((await decommission(later, unasked)).errors).toBeUndefined();
    await reaches(panel, later, unasked, 'DELETED');
    expect((await decommission(later, gone.id)).errors).toBeUndefined();
    await reaches(panel, later, gone.id, 'DELETED');
    expect(namesAt(token)).toEqual(['foreign-panel', 'foreign-tenant']);
  });
});

test('a provider that does not answer in time is told, and the place is given back', async () => {
  const { tenant, token } = await hostingTenant(panel);
  panel.hetzner.addFault({ kind: 'no_answer', method: 'POST', body: 'mute-01', next: 5 });
  const mute = await serverIn(panel, tenant, { name: 'mute-01' }, 'FAILED');
  expect(mute).toMatchObject({ reason: 'PROVIDER_AWAY', message: 'Hetzner did not answer in time' });
  expect(await placesKept(panel, tenant.id)).toBe(0);
  expect(panel.hetzner.servers(token)).toEqual([]);
});

test('a server that the provider does not bring up is taken down after an hour', async () => {
  const { tenant, token } = await hostingTenant(panel);
  // Its creation fails there, and the answer that would tell by what to follow it is lost: it is found, and never on.
  panel.hetzner.addFault({ kind: 'action_error', method: 'GET', path: '/v1/locations' });
  await fetch(`${panel.hetzner.url}/locations`, { headers: { authorization: `Bearer ${token}` } });
  panel.hetzner.addFault({ kind: 'drop_after_commit', method: 'POST', body: 'stuck' });
  const { data } = await provision(tenant, { name: 'stuck', installCloudOs: false });
  const { id } = data!.provisionServer;
  await panel.pass(async () => (await serverOf(tenant, id)).providerId !== null, 'it to be found');
  await panel.clock.leap(61 * 60_000);
  const later = await signedIn(tenant);
  await reaches(panel, later, id, 'FAILED');
  expect(await serverOf(later, id)).toMatchObject({ reason: 'PROVIDER_FAILED' });
  await panel.pass(() => panel.hetzner.servers(token).length === 0, 'it to be taken down');
});

test('a node that does not come in time fails its server, which stays, and is ready once it comes after all', async () => {
  const { tenant, token } = await hostingTenant(panel);
  const { data } = await provision(tenant, { name: 'silent' });
  const { id } = data!.provisionServer;
  await panel.pass(() => panel.hetzner.servers(token).length === 1, 'the provider to be told');
  const bind = async (hostname: string) =>
    panel.sql(`update fleet.enrollment_token set bound_hostname = $2 where tenant_id = $1`, [
      tenant.id,
      hostname,
    ]);
  await bind('another');
  await reaches(panel, tenant, id, 'ENROLLING');
  await panel.clock.leap(31 * 60_000);
  const later = await signedIn(tenant);
  await reaches(panel, later, id, 'FAILED');
  expect(await serverOf(later, id)).toMatchObject({ reason: 'ENROLLMENT_TIMED_OUT', instanceId: null });
  expect(panel.hetzner.servers(token)).toHaveLength(1);
  await bind('silent');
  await panel.clock.leap(6 * 60_000);
  await reaches(panel, later, id, 'READY');
  expect(await serverOf(later, id)).toMatchObject({ reason: null, instanceId: expect.any(String) });
});

test('no secret is in any answer, event, audit row, job or other row of all that came about here', async () => {
  expect(await panel.leaks()).toEqual([]);
});
