import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import { authorize, codeFor, enrollClient, exchange, pkce, startReachablePanel } from './support/oauth.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startReachablePanel();
});
afterAll(async () => panel.stop());

async function setUp() {
  const tenant = await panel.world.tenant();
  return { tenant, client: await enrollClient(panel, tenant) };
}

describe('refused at the token endpoint', () => {
  test.each<[string, Record<string, string>, string, number]>([
    ['a wrong verifier', { code_verifier: pkce().verifier }, 'invalid_grant', 400],
    ['a missing verifier', { code_verifier: '' }, 'invalid_request', 400],
    ['another redirect URI', { redirect_uri: 'https://evil.example.com/callback' }, 'invalid_grant', 400],
    ['an unknown code', { code: pkce().verifier }, 'invalid_grant', 400],
    ['an unknown node', { client_id: 'inst_unknown' }, 'invalid_client', 401],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type', 400],
    ['a missing code', { code: '' }, 'invalid_request', 400],
  ])('%s, and the code stays good for its owner', async (_name, change, error, status) => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    const answer = await exchange(panel, { ...parameters, ...change });
    expect([answer.status, answer.body]).toEqual([status, { error, error_description: expect.any(String) }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await exchange(panel, parameters)).status).toBe(200);
  });

  test('the challenge in place of the verifier', async () => {
    const { tenant, client } = await setUp();
    const { verifier, challenge } = pkce();
    const target = await authorize(tenant, client, challenge);
    const parameters = {
      grant_type: 'authorization_code',
      code: target.searchParams.get('code') ?? '',
      redirect_uri: client.redirectUri,
      client_id: client.id,
    };
    expect((await exchange(panel, { ...parameters, code_verifier: challenge })).body.error).toBe(
      'invalid_grant',
    );
    expect((await exchange(panel, { ...parameters, code_verifier: verifier })).status).toBe(200);
  });

  test("another node's code", async () => {
    const { tenant, client } = await setUp();
    const other = await enrollClient(panel, tenant);
    const parameters = await codeFor(tenant, client);
    const answer = await exchange(panel, { ...parameters, client_id: other.id });
    expect(answer.body.error).toBe('invalid_grant');
  });

  test('a code after five minutes', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    await panel.clock.leap(5 * 60_000);
    expect((await exchange(panel, parameters)).body.error).toBe('invalid_grant');
  });

  test('a code of a session that has ended', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    await tenant.rest('/api/auth/logout', { method: 'POST' });
    expect((await exchange(panel, parameters)).body.error).toBe('invalid_grant');
  });
});

describe('a code that comes twice', () => {
  test('revokes what it gave', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    const { access_token: token } = (await exchange(panel, parameters)).body;
    expect((await panel.world.rest('/api/oauth/userinfo', { token })).status).toBe(200);
    const replay = await exchange(panel, parameters);
    expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    expect((await panel.world.rest('/api/oauth/userinfo', { token })).status).toBe(401);
    const issued = await panel.sql<{ revoked: boolean }>(
      'select revoked_at is not null as revoked from identity.oauth_issued where instance_id = $1',
      [client.id],
    );
    expect(issued).toEqual([{ revoked: true }, { revoked: true }]);
    const told = await panel.sql(
      `select payload->>'action' as action from identity.outbox
       where tenant_id = $1 and topic = 'audit.security.recorded'`,
      [tenant.id],
    );
    expect(told).toEqual([{ action: 'authn_code_replay' }]);
  });

  test('in parallel, wins once', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    const answers = await Promise.all(Array.from({ length: 5 }, async () => exchange(panel, parameters)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400, 400]);
  });

  test('without the verifier, revokes nothing', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    const { access_token: token } = (await exchange(panel, parameters)).body;
    await exchange(panel, { ...parameters, code_verifier: pkce().verifier });
    expect((await panel.world.rest('/api/oauth/userinfo', { token })).status).toBe(200);
  });
});
