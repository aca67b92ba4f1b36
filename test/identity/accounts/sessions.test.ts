import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const minute = 60 * 1000;
const day = 24 * 60 * minute;
/** For so long a client that missed the answer may ask again. */
const graceMs = 10_000;
const refused = [401, { error: 'The refresh token is not valid' }];

interface Pair {
  access_token: string;
  refresh_token: string;
}
const refresh = async (refresh_token: string) =>
  panel.world.rest<Pair>('/api/auth/refresh', { body: { refresh_token } });

test('refreshing trades the refresh token for a new pair of the same session', async () => {
  const tenant = await panel.world.tenant();
  const answer = await refresh(tenant.refreshToken);
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      user: { ...tenant.user, created_at: expect.any(String) },
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 900,
    },
  ]);
  expect(answer.body.refresh_token).not.toBe(tenant.refreshToken);
  expect(decodeJwt(answer.body.access_token)['sid']).toBe(decodeJwt(tenant.token)['sid']);
  expect((await panel.world.rest('/api/auth/me', { token: answer.body.access_token })).status).toBe(200);
});

test('of a refresh token only the hash is kept', async () => {
  const tenant = await panel.world.tenant();
  const rows = await panel.sql(
    'select to_jsonb(r)::text as whole from identity.refresh_token r where tenant_id = $1',
    [tenant.id],
  );
  expect(rows).toEqual([{ whole: expect.not.stringContaining(tenant.refreshToken) }]);
});

test('a refresh token that is used twice ends its session, newer tokens included', async () => {
  const tenant = await panel.world.tenant();
  const other = (await panel.world.login(tenant.account.email, tenant.account.password)).body;
  const newer = (await refresh(tenant.refreshToken)).body;
  await panel.clock.leap(graceMs + 1000);
  const reused = await refresh(tenant.refreshToken);
  expect([reused.status, reused.body]).toEqual(refused);
  const after = await refresh(newer.refresh_token);
  expect([after.status, after.body]).toEqual(refused);
  const sessions = await panel.sql(
    'select id, revoked_at is not null as ended from identity.session where tenant_id = $1 order by created_at, id',
    [tenant.id],
  );
  expect(sessions).toEqual([
    { id: decodeJwt(tenant.token)['sid'], ended: true },
    { id: decodeJwt(other.access_token)['sid'], ended: false },
  ]);
  const events = await panel.sql(
    `select payload from identity.outbox where tenant_id = $1 and topic = 'identity.session.revoked'`,
    [tenant.id],
  );
  expect(events).toEqual([
    {
      payload: {
        sessionId: decodeJwt(tenant.token)['sid'],
        userId: tenant.user.id,
        reason: 'REFRESH_TOKEN_REUSED',
      },
    },
  ]);
  expect((await refresh(other.refresh_token)).status).toBe(200);
});

test('of many who use one refresh token at once all get the one pair that follows, and its session goes on', async () => {
  const tenant = await panel.world.tenant();
  const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(tenant.refreshToken)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const successors = new Set(answers.map(({ body }) => body.refresh_token));
  expect(successors.size).toBe(1);
  expect((await refresh([...successors][0]!)).status).toBe(200);
});

test('a user ends all sessions but the one that asks at once; users only may, and of others none ends', async () => {
  const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
  const { email, password } = tenant.account;
  const others = [await panel.world.login(email, password), await panel.world.login(email, password)];
  const query = 'mutation { revokeOtherSessions { id current revokedAt } }';
  const own = { id: decodeJwt(tenant.token)['sid'], current: true, revokedAt: null };
  for (let times = 0; times < 2; times += 1) {
    expect(dataOf(await tenant.graphql(query))).toEqual({ revokeOtherSessions: own });
  }
  for (const { body } of others) {
    expect((await panel.world.rest('/api/auth/me', { token: body.access_token })).status).toBe(401);
    expect((await refresh(body.refresh_token)).status).toBe(401);
  }
  for (const { token } of [tenant, stranger])
    expect((await panel.world.rest('/api/auth/me', { token })).status).toBe(200);
  expect(refusal(await panel.world.graphql(query))).toEqual({ code: 'UNAUTHENTICATED' });
  const node = await tenant.node();
  expect(refusal(await panel.world.graphql(query, {}, node.credential))).toMatchObject({ code: 'FORBIDDEN' });
});

test('a refresh token that never was is refused', async () => {
  const answer = await refresh('nonsense');
  expect([answer.status, answer.body]).toEqual(refused);
  const asked = await panel.world.graphql(
    'mutation { refreshSession(input: { refreshToken: "nonsense" }) { expiresIn } }',
  );
  expect(refusal(asked)).toEqual({ code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_INVALID' });
});

test('an access token ends after 15 minutes, and its refresh token gives another', async () => {
  const tenant = await panel.world.tenant();
  const status = async (token: string) => (await panel.world.rest('/api/auth/me', { token })).status;
  await panel.clock.leap(15 * minute - 1000);
  expect(await status(tenant.token)).toBe(200);
  await panel.clock.advance(1000);
  const expired = await tenant.rest('/api/auth/me');
  expect([expired.status, expired.body]).toEqual([401, { error: 'The token has expired' }]);
  expect(refusal(await tenant.graphql('{ me { id } }'))).toEqual({
    code: 'UNAUTHENTICATED',
    reason: 'TOKEN_EXPIRED',
  });
  expect(await status((await refresh(tenant.refreshToken)).body.access_token)).toBe(200);
});

test('a public mutation takes no notice of an access token that has expired', async () => {
  const tenant = await panel.world.tenant();
  await panel.clock.leap(15 * minute);
  const answer = await panel.world.rest<Pair>('/api/auth/refresh', {
    token: tenant.token,
    body: { refresh_token: tenant.refreshToken },
  });
  expect(answer.status).toBe(200);
});

test('a session that is not used for 14 days ends', async () => {
  const [inTime, late] = [await panel.world.tenant(), await panel.world.tenant()];
  await panel.clock.leap(14 * day - 1000);
  expect((await refresh(inTime.refreshToken)).status).toBe(200);
  await panel.clock.advance(1000);
  const answer = await refresh(late.refreshToken);
  expect([answer.status, answer.body]).toEqual(refused);
});

test('a session ends after 90 days, however much it is used', async () => {
  const tenant = await panel.world.tenant();
  let token = tenant.refreshToken;
  for (let days = 10; days < 90; days += 10) {
    await panel.clock.leap(10 * day);
    const answer = await refresh(token);
    expect([days, answer.status]).toEqual([days, 200]);
    token = answer.body.refresh_token;
  }
  await panel.clock.leap(10 * day);
  const answer = await refresh(token);
  expect([answer.status, answer.body]).toEqual(refused);
});
