import { afterAll, beforeAll, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { FormBrowser } from './support/browser.js';
import { authorizePage, codeFor, enrollClient, exchange, startReachablePanel } from './support/oauth.js';

let panel: TestPanel;
let other: Tenant;
beforeAll(async () => {
  panel = await startReachablePanel();
  other = await panel.world.tenant();
});
afterAll(async () => panel.stop());

async function suspend(tenant: Tenant): Promise<void> {
  await panel.sql('update identity.tenant set suspended_at = $2 where id = $1', [
    tenant.id,
    panel.clock.now(),
  ]);
  await panel.clock.advance(6_000);
  await until(async () => (await tenant.rest('/api/auth/me')).status === 401, 'the tenant to be suspended');
}

async function sessions(tenant: Tenant): Promise<number> {
  return (await panel.sql('select 1 from identity.session where tenant_id = $1', [tenant.id])).length;
}

test("nobody signs in to a suspended tenant, with another tenant's token or without", async () => {
  const tenant = await panel.world.tenant();
  await suspend(tenant);
  const before = await sessions(tenant);
  const refused = { error: 'The tenant is suspended' };
  for (const [token, status] of [
    [undefined, 401],
    [other.token, 403],
  ] as const) {
    const login = await panel.world.rest('/api/auth/login', { body: tenant.account, token });
    expect([login.status, login.body]).toEqual([status, refused]);
    const refresh = await panel.world.rest('/api/auth/refresh', {
      body: { refresh_token: tenant.refreshToken },
      token,
    });
    expect([refresh.status, refresh.body]).toEqual([status, refused]);
  }
  expect(await sessions(tenant)).toBe(before);
});

test('the authorize page lets nobody of a suspended tenant in, nor anyone who was in before go on', async () => {
  const tenant = await panel.world.tenant();
  const client = await enrollClient(panel, tenant);
  const page = authorizePage(panel, client);
  const { email, password } = tenant.account;
  const inside = await new FormBrowser().get(page);
  await (await inside.submit({ email, password })).follow();
  expect(inside.html).toContain('wants to sign you in as');
  await suspend(tenant);

  const late = await new FormBrowser().get(page);
  await late.submit({ email, password });
  expect([late.status, late.location, late.html]).toEqual([
    401,
    null,
    expect.stringContaining('The tenant is suspended'),
  ]);
  await inside.submit({ approve: 'yes' });
  expect([inside.status, inside.location]).toEqual([303, page]);
  await inside.follow();
  expect(inside.html).toContain('name="password"');
});

test('codes and tokens for nodes end with the suspension', async () => {
  const tenant = await panel.world.tenant();
  const client = await enrollClient(panel, tenant);
  const { access_token: token } = (await exchange(panel, await codeFor(tenant, client))).body;
  const code = await codeFor(tenant, client);
  const userInfo = async () => (await panel.world.rest('/api/oauth/userinfo', { token })).status;
  expect(await userInfo()).toBe(200);
  await suspend(tenant);
  expect(await userInfo()).toBe(401);
  const withBearer = await panel.world.rest('/api/oauth/token', { body: code, token: other.token });
  expect([withBearer.status, withBearer.body]).toEqual([
    400,
    { error: 'unauthorized_client', error_description: 'The tenant is suspended' },
  ]);
  expect((await exchange(panel, code)).status).toBe(401);
});
