import { expect, test } from 'vitest';

import { startTestPanel } from '../support/panel.js';
import { FormBrowser } from './support/browser.js';
import { enrollClient, exchange, pkce } from './support/oauth.js';

test('a sign-in to a node goes through when identity runs in a process of its own', async () => {
  await using panel = await startTestPanel({}, 'split');
  const tenant = await panel.world.tenant();
  const client = await enrollClient(panel, tenant);
  const { verifier, challenge } = pkce();
  const request = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    code_challenge: challenge,
  });
  const browser = await new FormBrowser().get(`${panel.panel.url}/oauth/authorize?${request.toString()}`);
  expect([browser.status, browser.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining("frame-ancestors 'none'"),
  ]);
  await browser.submit({ email: tenant.account.email, password: tenant.account.password });
  await browser.follow();
  await browser.submit({ approve: 'yes' });
  const answer = await exchange(panel, {
    grant_type: 'authorization_code',
    code: new URL(browser.location ?? '').searchParams.get('code') ?? '',
    redirect_uri: client.redirectUri,
    client_id: client.id,
    code_verifier: verifier,
  });
  expect(answer.status).toBe(200);
  for (const path of [
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/account/verify-email',
    '/account/reset-password',
    '/notifications/confirm-address',
  ]) {
    expect([path, (await panel.world.rest(path)).status]).toEqual([path, 200]);
  }
});
