import 'reflect-metadata';
import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { isFamiliar } from '#subgraphs/identity/session/credentials.js';
import { endOldestSessions } from '#subgraphs/identity/session/end-sessions.service.js';
import { identityEntities } from '#subgraphs/identity/subgraph.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { rowsRead } from '../support/rows-read.js';
import type { Tenant } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

async function refresh(token: string) {
  return panel.world.rest<{ access_token: string; refresh_token: string }>('/api/auth/refresh', {
    body: { refresh_token: token },
  });
}

async function revokedReasons(tenant: Tenant): Promise<string[]> {
  const rows = await panel.sql<{ reason: string }>(
    `select payload->>'reason' as reason from identity.outbox
     where tenant_id = $1 and topic = 'identity.session.revoked'`,
    [tenant.id],
  );
  return rows.map(({ reason }) => reason);
}

describe('refresh', () => {
  test('each refresh gives a new pair, and the session goes on', async () => {
    const tenant = await panel.world.tenant();
    const first = await refresh(tenant.refreshToken);
    expect(first.status).toBe(200);
    expect(first.body.refresh_token).not.toBe(tenant.refreshToken);
    const second = await refresh(first.body.refresh_token);
    expect(second.status).toBe(200);
    expect((await tenant.rest('/api/auth/me', { token: second.body.access_token })).status).toBe(200);
  });

  test('two tabs that race get the same successor, and both survive', async () => {
    const tenant = await panel.world.tenant();
    const [one, two] = await Promise.all([refresh(tenant.refreshToken), refresh(tenant.refreshToken)]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.body.refresh_token).toBe(two.body.refresh_token);
    expect((await refresh(one.body.refresh_token)).status).toBe(200);
    expect(await revokedReasons(tenant)).toEqual([]);
  });

  test('whoever lags behind by more than one refresh is given the newest token, and the session goes on', async () => {
    const tenant = await panel.world.tenant();
    const child = (await refresh(tenant.refreshToken)).body.refresh_token;
    const grandchild = (await refresh(child)).body.refresh_token;
    expect((await refresh(tenant.refreshToken)).body.refresh_token).toBe(grandchild);
    await panel.clock.leap(10_000);
    expect((await refresh(grandchild)).status).toBe(200);
    expect(await revokedReasons(tenant)).toEqual([]);
  });

  test('a token used again after the grace ends the whole session', async () => {
    const tenant = await panel.world.tenant();
    const child = (await refresh(tenant.refreshToken)).body.refresh_token;
    await panel.clock.leap(10_000);
    const replays = await Promise.all([refresh(tenant.refreshToken), refresh(tenant.refreshToken)]);
    expect(replays.map(({ status }) => status)).toEqual([401, 401]);
    expect((await refresh(child)).status).toBe(401);
    expect(await revokedReasons(tenant)).toEqual(['REFRESH_TOKEN_REUSED']);
  });

  test('an unknown token and an idle one are refused alike', async () => {
    const tenant = await panel.world.tenant();
    const unknown = await refresh(randomUUID());
    await panel.clock.leap(15 * 24 * 3600_000);
    const idle = await refresh(tenant.refreshToken);
    expect([unknown.status, unknown.body]).toEqual([401, { error: 'The refresh token is not valid' }]);
    expect([idle.status, idle.body]).toEqual([unknown.status, unknown.body]);
  });

  test('no token is kept in the clear', async () => {
    const tenant = await panel.world.tenant();
    const child = (await refresh(tenant.refreshToken)).body.refresh_token;
    const rows = await panel.sql('select t::text as text from identity.refresh_token t');
    const text = JSON.stringify(rows);
    expect(text).not.toContain(tenant.refreshToken);
    expect(text).not.toContain(child);
  });
});

test('without a grace, exactly one of two parallel refreshes wins', async () => {
  await using strict = await startTestPanel({ REFRESH_GRACE_SECONDS: '0' });
  const tenant = await strict.world.tenant();
  const use = async () =>
    strict.world.rest('/api/auth/refresh', { body: { refresh_token: tenant.refreshToken } });
  const statuses = (await Promise.all([use(), use(), use()])).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
});

describe('sessions', () => {
  interface Listed {
    id: string;
    current: boolean;
  }

  test('lists the living sessions of the user and says which one asks', async () => {
    const tenant = await panel.world.tenant();
    await panel.world.login(tenant.account.email, tenant.account.password);
    const { body, headers } = await tenant.rest<Listed[]>('/api/auth/sessions?limit=10');
    expect(headers.get('x-total-count')).toBe('2');
    expect(body.map(({ current }) => current)).toEqual([true, false]);
    expect(body[0]).toEqual({
      id: expect.stringMatching(/^ses_/),
      client_address: '127.0.0.1',
      user_agent: expect.any(String),
      current: true,
      created_at: expect.stringMatching(/Z$/),
      last_used_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
    });
  });

  test('ending a session ends its refresh tokens, and ending it again changes nothing', async () => {
    const tenant = await panel.world.tenant();
    const other = await panel.world.login(tenant.account.email, tenant.account.password);
    const { body } = await tenant.rest<Listed[]>('/api/auth/sessions');
    const id = body.find(({ current }) => !current)?.id;
    for (const _ of [1, 2]) {
      expect((await tenant.rest(`/api/auth/sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
    }
    expect((await refresh(other.body.refresh_token)).status).toBe(401);
    expect(await revokedReasons(tenant)).toEqual(['REVOKED']);
  });

  test("another tenant's session is not found", async () => {
    const [mine, theirs] = [await panel.world.tenant(), await panel.world.tenant()];
    const { body } = await theirs.rest<Listed[]>('/api/auth/sessions');
    const answer = await mine.rest(`/api/auth/sessions/${body[0]?.id}`, { method: 'DELETE' });
    expect([answer.status, answer.body]).toEqual([404, { error: 'Session not found' }]);
    expect((await refresh(theirs.refreshToken)).status).toBe(200);
  });

  test('logging out ends the session of the token', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.rest('/api/auth/logout', { method: 'POST' });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await refresh(tenant.refreshToken)).status).toBe(401);
    expect(await revokedReasons(tenant)).toEqual(['LOGGED_OUT']);
    await expect.poll(async () => (await tenant.rest('/api/auth/me')).status).toBe(401);
  });

  test('nodes and strangers have no sessions', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    expect((await tenant.rest('/api/auth/sessions', { token: node.credential })).status).toBe(403);
    expect((await panel.world.rest('/api/auth/sessions')).status).toBe(401);
    expect((await panel.world.rest('/api/auth/logout', { method: 'POST' })).status).toBe(401);
  });
});

test('how often somebody has signed in this month costs the next sign-in nothing', async () => {
  const tenant = await panel.world.tenant();
  const [session] = await panel.sql<{ id: string; userId: string; network: string }>(
    'select id, user_id as "userId", network from identity.session where tenant_id = $1',
    [tenant.id],
  );
  await panel.sql(
    `insert into identity.session select (jsonb_populate_record(s, jsonb_build_object('id', s.id || n,
       'revoked_at', s.created_at, 'network', case when n > 200 then s.network else 'elsewhere' end))).*
     from identity.session s, generate_series(1, 20000) n where s.id = $1`,
    [session!.id],
  );
  await panel.sql('analyze identity.session');
  const database = await Database.open({
    area: 'identity',
    url: panel.database.url,
    entities: identityEntities,
    poolSize: 1,
    logger: silentLogger,
  });
  try {
    const user = { tenantId: tenant.id, id: session!.userId };
    const { clock } = panel;
    expect(await isFamiliar({ database, clock }, user, session!.network)).toBe(true);
    expect(await isFamiliar({ database, clock }, user, 'nowhere')).toBe(false);
    const read = await database.forTenant(tenant.id).transactional(async (em) => {
      const write = { em, publish: () => undefined };
      await endOldestSessions(write, { tenantId: tenant.id, userId: session!.userId }, clock.now());
      return rowsRead(em, 'identity.session');
    });
    expect(read).toBeLessThan(100);
  } finally {
    await database.close();
  }
});
