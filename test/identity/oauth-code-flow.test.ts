import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import {
  codeFor,
  consent,
  enrollClient,
  exchange,
  pkce,
  preflight,
  startReachablePanel,
} from './support/oauth.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startReachablePanel();
});
afterAll(async () => panel.stop());

async function setUp() {
  const tenant = await panel.world.tenant();
  return { tenant, client: await enrollClient(panel, tenant) };
}

describe('a sign-in', () => {
  test('names node, user and scopes first, and hands code, state and issuer to the node', async () => {
    const { tenant, client } = await setUp();
    const { challenge } = pkce();
    const checked = await preflight(tenant, {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      state: 'a b&c',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      response_type: 'code',
    });
    expect(checked.body).toEqual({
      client: { id: client.id, name: expect.any(String), hostname: expect.stringContaining('.example.com') },
      redirect_uri: client.redirectUri,
      scopes: ['openid', 'profile', 'email'],
      state: 'a b&c',
      user: { id: tenant.user.id, email: tenant.account.email, name: 'Owner' },
      consent_id: expect.any(String),
    });
    const answer = await consent(tenant, checked.body.consent_id);
    const target = new URL(answer.body.redirect_to);
    expect(`${target.origin}${target.pathname}`).toBe(client.redirectUri);
    expect(Object.fromEntries(target.searchParams)).toEqual({
      code: expect.stringMatching(/^[\w-]{43}$/),
      state: 'a b&c',
      iss: panel.panel.url,
    });
  });

  test('the code gives a signed assertion of who the user is', async () => {
    const { tenant, client } = await setUp();
    const answer = await exchange(panel, await codeFor(tenant, client, { nonce: 'n-1' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      id_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
    });
    const { id_token: idToken } = answer.body;
    expect(decodeProtectedHeader(idToken)).toEqual({
      alg: 'ES256',
      kid: expect.stringMatching(/^key_/),
      typ: 'JWT',
    });
    const now = panel.clock.now().getTime() / 1000;
    expect(decodeJwt(idToken)).toEqual({
      iss: panel.panel.url,
      sub: tenant.user.id,
      aud: client.id,
      jti: expect.any(String),
      iat: Math.floor(now),
      exp: Math.floor(now) + 300,
      auth_time: expect.any(Number),
      nonce: 'n-1',
      email: tenant.account.email,
      email_verified: false,
      name: 'Owner',
      tenant: tenant.id,
      role: 'owner',
    });
  });

  test('JSON is taken as well as a form', async () => {
    const { tenant, client } = await setUp();
    const answer = await panel.world.rest('/api/oauth/token', { body: await codeFor(tenant, client) });
    expect(answer.status).toBe(200);
  });

  test('the access token is good for userinfo and for nothing else', async () => {
    const { tenant, client } = await setUp();
    const { access_token: token, id_token: idToken } = (await exchange(panel, await codeFor(tenant, client)))
      .body;
    const info = await panel.world.rest('/api/oauth/userinfo', { token });
    expect([info.status, info.body]).toEqual([
      200,
      {
        sub: tenant.user.id,
        email: tenant.account.email,
        email_verified: false,
        name: 'Owner',
        tenant: tenant.id,
        role: 'owner',
      },
    ]);
    expect((await panel.world.rest('/api/auth/me', { token })).status).toBe(401);
    for (const wrong of [tenant.token, idToken, 'nonsense']) {
      expect((await panel.world.rest('/api/oauth/userinfo', { token: wrong })).status).toBe(401);
    }
  });

  test("the access token ends with the user's session", async () => {
    const { tenant, client } = await setUp();
    const { access_token: token } = (await exchange(panel, await codeFor(tenant, client))).body;
    await tenant.rest('/api/auth/logout', { method: 'POST' });
    expect((await panel.world.rest('/api/oauth/userinfo', { token })).status).toBe(401);
  });

  test('a user who declines is sent back without a code', async () => {
    const { tenant, client } = await setUp();
    const checked = await preflight(tenant, {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      state: 's',
      code_challenge: pkce().challenge,
    });
    const answer = await consent(tenant, checked.body.consent_id, false);
    expect(Object.fromEntries(new URL(answer.body.redirect_to).searchParams)).toEqual({
      error: 'access_denied',
      state: 's',
      iss: panel.panel.url,
    });
  });

  test('codes, consents and tokens are not kept in the clear', async () => {
    const { tenant, client } = await setUp();
    const parameters = await codeFor(tenant, client);
    await exchange(panel, parameters);
    const kept = await panel.sql(
      `select c::text as text from identity.oauth_codes c union all select o::text from identity.outbox o`,
    );
    expect(JSON.stringify(kept)).not.toContain(parameters['code']);
    expect(JSON.stringify(kept)).not.toContain(parameters['code_verifier']);
  });
});

describe('a consent', () => {
  async function consentId(
    tenant: Awaited<ReturnType<typeof setUp>>['tenant'],
    client: { id: string; redirectUri: string },
  ) {
    const checked = await preflight(tenant, {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: pkce().challenge,
    });
    return checked.body.consent_id;
  }

  test('gives one code', async () => {
    const { tenant, client } = await setUp();
    const id = await consentId(tenant, client);
    const answers = await Promise.all([consent(tenant, id), consent(tenant, id)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  test('that was refused is not given afterwards, and the trail tells nobody its id', async () => {
    const { tenant, client } = await setUp();
    const id = await consentId(tenant, client);
    expect((await consent(tenant, id, false)).status).toBe(200);
    for (const approve of [true, false]) expect((await consent(tenant, id, approve)).status).toBe(409);
    const [row] = await panel.sql<{ payload: unknown }>(
      `select payload from identity.outbox where tenant_id = $1 and payload->>'action' = 'decideAuthorization'`,
      [tenant.id],
    );
    expect(row?.payload).toMatchObject({
      target: client.id,
      input: { input: { consentId: '[redacted]', approve: false } },
    });
  });

  test('ends after ten minutes, and is no good to anyone else', async () => {
    const { tenant, client } = await setUp();
    const stranger = await panel.world.tenant();
    const id = await consentId(tenant, client);
    expect((await consent(stranger, id)).status).toBe(400);
    expect((await consent(tenant, `${id}x`)).status).toBe(400);
    expect((await consent(tenant, 'nonsense')).status).toBe(400);
    await panel.clock.leap(10 * 60_000);
    const late = await consent(tenant, id);
    expect([late.status, late.body]).toEqual([
      400,
      { error: 'The consent is not valid or has ended; start again at the node' },
    ]);
  });

  test('is asked of users only', async () => {
    const { tenant, client } = await setUp();
    const node = await tenant.node();
    const parameters = {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: pkce().challenge,
    };
    const path = `/api/oauth/authorize/preflight?${new URLSearchParams(parameters).toString()}`;
    expect((await panel.world.rest(path)).status).toBe(401);
    expect((await panel.world.rest(path, { token: node.credential })).status).toBe(403);
  });
});

describe('refused at preflight, without a redirect', () => {
  const good = async () => {
    const { tenant, client } = await setUp();
    const parameters: Record<string, string> = {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: pkce().challenge,
    };
    return { tenant, client, parameters };
  };

  test.each<[string, Record<string, string>]>([
    ['the plain method', { code_challenge_method: 'plain' }],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }],
    ['a response type other than code', { response_type: 'token' }],
    ['an unknown node', { client_id: 'inst_unknown' }],
    ['another redirect URI', { redirect_uri: 'https://evil.example.com/callback' }],
  ])('%s', async (_name, change) => {
    const { tenant, parameters } = await good();
    expect((await preflight(tenant, parameters)).status).toBe(200);
    const answer = await preflight(tenant, { ...parameters, ...change });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });

  test.each(['client_id', 'redirect_uri', 'code_challenge'])('a request without %s', async (name) => {
    const { tenant, parameters } = await good();
    delete parameters[name];
    expect((await preflight(tenant, parameters)).status).toBe(400);
  });

  test('a node that was decommissioned', async () => {
    const { tenant, client, parameters } = await good();
    const checked = await preflight(tenant, parameters);
    expect([
      checked.status,
      (await tenant.rest(`/api/fleet/instances/${client.id}`, { method: 'DELETE' })).status,
    ]).toEqual([200, 204]);
    await expect
      .poll(async () => (await preflight(tenant, parameters)).status, { timeout: 30_000 })
      .toBe(400);
    const refusal = { error: 'No node of your organization has this client_id' };
    expect((await preflight(tenant, parameters)).body).toEqual(refusal);
    // What was begun before is not finished either.
    const late = await consent(tenant, checked.body.consent_id);
    expect([late.status, late.body]).toEqual([400, refusal]);
  });

  test("another organization's node", async () => {
    const { parameters } = await good();
    const stranger = await panel.world.tenant();
    const answer = await preflight(stranger, parameters);
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'No node of your organization has this client_id' },
    ]);
  });
});
