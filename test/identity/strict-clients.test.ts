import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { consent, enrollClient, mustBe, preflight, startReachablePanel } from './support/oauth.js';

let panel: TestPanel;
let issuer: URL;
beforeAll(async () => {
  panel = await startReachablePanel();
  issuer = new URL(panel.panel.url);
});
afterAll(async () => panel.stop());

/** The user's part: signed in at the panel, agrees to what the client asked for. */
async function agree(tenant: Tenant, request: URL): Promise<URL> {
  const checked = await preflight(tenant, Object.fromEntries(request.searchParams));
  mustBe(checked, 200);
  const answer = await consent(tenant, checked.body.consent_id);
  return new URL(answer.body.redirect_to);
}

test.each(['oauth2', 'oidc'] as const)(
  'openid-client signs a user in, by %s discovery',
  async (algorithm) => {
    const tenant = await panel.world.tenant();
    const node = await enrollClient(panel, tenant);
    const config = await openid.discovery(issuer, node.id, undefined, openid.None(), {
      algorithm,
      // eslint-disable-next-line typescript/no-deprecated -- the panel of a test has no TLS
      execute: [openid.allowInsecureRequests],
    });
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    const request = openid.buildAuthorizationUrl(config, {
      redirect_uri: node.redirectUri,
      scope: 'openid email profile',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const tokens = await openid.authorizationCodeGrant(config, await agree(tenant, request), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    expect(tokens.claims()).toMatchObject({
      sub: tenant.user.id,
      aud: node.id,
      tenant: tenant.id,
      role: 'owner',
      nonce,
    });
    const info = await openid.fetchUserInfo(config, tokens.access_token, tenant.user.id);
    expect(info.email).toBe(tenant.account.email);
  },
);

test('oauth4webapi signs a user in, and verifies the signature by the published keys', async () => {
  const tenant = await panel.world.tenant();
  const node = await enrollClient(panel, tenant);
  const insecure = { [oauth.allowInsecureRequests]: true };
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  const server = await oauth.processDiscoveryResponse(issuer, discovered);
  const client: oauth.Client = { client_id: node.id };
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const request = new URL(server.authorization_endpoint ?? '');
  request.search = new URLSearchParams({
    client_id: node.id,
    redirect_uri: node.redirectUri,
    response_type: 'code',
    scope: 'openid email',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).toString();
  // Fails without `iss`, since the metadata promises it (RFC 9207).
  const parameters = oauth.validateAuthResponse(server, client, await agree(tenant, request), state);
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    node.redirectUri,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, answer, insecure);
  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({
    sub: tenant.user.id,
    email: tenant.account.email,
  });
  const info = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
  const claims = await oauth.processUserInfoResponse(server, client, tenant.user.id, info);
  expect(claims.sub).toBe(tenant.user.id);
});

test('both metadata documents say the same, and every address in them answers', async () => {
  const paths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
  const [one, two] = await Promise.all(
    paths.map(async (path) => panel.world.rest<Record<string, string>>(path)),
  );
  expect(one?.status).toBe(200);
  expect(one?.body).toEqual(two?.body);
  expect(one?.body).toMatchObject({
    issuer: panel.panel.url,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    token_endpoint_auth_methods_supported: ['none'],
  });
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
    const answer = await fetch(one?.body[name] ?? '');
    expect([name, answer.status]).not.toEqual([name, 404]);
  }
});
