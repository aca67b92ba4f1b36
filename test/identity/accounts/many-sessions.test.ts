import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const hour = 60 * 60 * 1000;

/** As a program leaves them behind that signs in again and again; `agoMs` since they were used. */
async function leaveBehind({ id, user }: Tenant, count: number, agoMs: number): Promise<void> {
  const at = panel.clock.now().getTime() - agoMs;
  await panel.sql(
    `insert into identity.session
       (tenant_id, id, user_id, client_address, created_at, last_used_at, expires_at)
     select $1, 'ses_left_' || $2 || '_' || n, $2, '192.0.2.1', $3, $3, $4 from generate_series(1, $5::int) n`,
    [id, user.id, new Date(at), new Date(at + 90 * 24 * hour), count],
  );
}

async function toldOf(tenant: Tenant): Promise<Record<string, unknown>[]> {
  return panel.sql(
    `select payload->>'reason' as reason, count(*)::int from identity.outbox
     where tenant_id = $1 and topic = 'identity.session.revoked' group by 1`,
    [tenant.id],
  );
}

const living = async (tenant: Tenant) =>
  panel.sql('select id from identity.session where tenant_id = $1 and revoked_at is null', [tenant.id]);

test('however many sessions a program left behind, a new password ends them, and tells of those that may have tokens', async () => {
  const tenant = await panel.world.tenant();
  await leaveBehind(tenant, 20_000, 24 * hour);
  const { email, password } = tenant.account;
  const others = [await panel.world.login(email, password), await panel.world.login(email, password)];
  const answer = await tenant.rest('/api/auth/change-password', {
    body: { current_password: password, new_password: 'another correct horse battery' },
  });
  expect(answer.status).toBe(204);
  expect(await toldOf(tenant)).toEqual([{ reason: 'PASSWORD_CHANGED', count: 2 }]);
  expect(await living(tenant)).toHaveLength(1);
  for (const other of others) {
    expect((await panel.world.rest('/api/auth/me', { token: other.body.access_token })).status).toBe(401);
  }
});

test('a user has 100 sessions at most: another ends the one that was used least lately', async () => {
  const tenant = await panel.world.tenant();
  await panel.clock.leap(60_000);
  await leaveBehind(tenant, 99, 0);
  expect((await tenant.rest('/api/auth/me')).status).toBe(200);
  const { body } = await panel.world.login(tenant.account.email, tenant.account.password);
  expect((await tenant.rest('/api/auth/me')).status).toBe(401);
  expect((await panel.world.rest('/api/auth/me', { token: body.access_token })).status).toBe(200);
  expect(await toldOf(tenant)).toEqual([{ reason: 'TOO_MANY_SESSIONS', count: 1 }]);
  expect(await living(tenant)).toHaveLength(100);
});
