import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { refusal } from '../support/answers.js';
import type { TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { entryOf } from './audit/support.js';
import { FormBrowser } from './support/browser.js';
import {
  authorizePage,
  codeFor,
  enrollClient,
  exchange,
  pkce,
  preflight,
  startReachablePanel,
  type Client,
} from './support/oauth.js';

let panel: TestPanel;
let tenant: Tenant;
let client: Client;
let verifier: string;
let challenge: string;
beforeAll(async () => {
  panel = await startReachablePanel();
  tenant = await panel.world.tenant();
  client = await enrollClient(panel, tenant);
  ({ verifier, challenge } = pkce());
});
afterAll(async () => panel.stop());

const page = (change: Record<string, string> = {}) =>
  authorizePage(panel, client, { code_challenge: challenge, ...change });

async function signIn(browser: FormBrowser, account = tenant.account): Promise<FormBrowser> {
  await browser.submit({ email: account.email, password: account.password });
  expect(browser.status).toBe(303);
  return browser.follow();
}

/** Agrees, and has the code exchanged, as the node would. */
async function agree(browser: FormBrowser) {
  await browser.submit({ approve: 'yes' });
  return redeem(browser);
}

async function redeem(browser: FormBrowser) {
  const code = new URL(browser.location ?? '').searchParams.get('code') ?? '';
  return exchange(panel, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
    client_id: client.id,
    code_verifier: verifier,
  });
}

/** What the node is told. */
function told({ status, location }: FormBrowser): unknown {
  const target = new URL(location ?? '');
  expect([status, `${target.origin}${target.pathname}`]).toEqual([303, client.redirectUri]);
  return Object.fromEntries(target.searchParams);
}

const error = (word: string) => ({ error: word, state: 's', iss: panel.panel.url });
const asksForPassword = ({ html }: FormBrowser) => html.includes('name="password"');

test('prompt=none asks nothing: it answers that a sign-in or consent is missing, and a code once there was both', async () => {
  const browser = new FormBrowser();
  expect(told(await browser.get(page({ prompt: 'none' })))).toEqual(error('login_required'));
  await signIn(await browser.get(page()));
  expect(told(await browser.get(page({ prompt: 'none' })))).toEqual(error('consent_required'));
  await browser.get(page());
  expect((await agree(browser)).status).toBe(200);
  await browser.get(page({ prompt: 'none', state: 'silent' }));
  expect(told(browser)).toEqual({ code: expect.any(String), state: 'silent', iss: panel.panel.url });
  expect((await redeem(browser)).status).toBe(200);
  expect(await entryOf(tenant, 'decideAuthorization')).toMatchObject({
    actor: tenant.user.id,
    target: client.id,
  });

  // Consent is the user's for this node in this session: another node, and another browser, are asked.
  const other = await enrollClient(panel, tenant);
  await browser.get(authorizePage(panel, other, { prompt: 'none' }));
  expect(new URL(browser.location ?? '').searchParams.get('error')).toBe('consent_required');
  const elsewhere = await signIn(await new FormBrowser().get(page()));
  expect(told(await elsewhere.get(page({ prompt: 'none' })))).toEqual(error('consent_required'));
});

test('prompt=none tells a node of another organization that its user has to choose', async () => {
  const stranger = await panel.world.tenant();
  const browser = await signIn(
    await new FormBrowser().get(authorizePage(panel, await enrollClient(panel, stranger))),
    stranger.account,
  );
  expect(told(await browser.get(page({ prompt: 'none' })))).toEqual(error('interaction_required'));
});

test("nothing is redirected to an address that is not the client's, also without asking", async () => {
  const changes: Record<string, string>[] = [
    { redirect_uri: 'https://evil.example.com/callback' },
    { client_id: 'inst_unknown' },
    { prompt: 'none login' },
    { max_age: '-1' },
    { max_age: 'soon' },
  ];
  for (const change of changes) {
    const browser = await new FormBrowser().get(page({ prompt: 'none', ...change }));
    expect([change, browser.status, browser.location]).toEqual([change, 400, null]);
  }
});

test('prompt=login asks for the password again, once for each request, and auth_time says when', async () => {
  const browser = await signIn(await new FormBrowser().get(page()));
  await panel.clock.leap(60_000);
  await browser.get(page({ prompt: 'login' }));
  expect(asksForPassword(browser)).toBe(true);
  await signIn(browser);
  expect(browser.html).toContain('wants to sign you in as');
  const tokens = await agree(browser);
  expect(decodeJwt(tokens.body.id_token)).toMatchObject({
    auth_time: Math.floor(panel.clock.now().getTime() / 1000),
  });
  await browser.get(page({ prompt: 'login' }));
  expect(asksForPassword(browser)).toBe(true);
  await browser.get(page());
  expect(asksForPassword(browser)).toBe(false);
});

test('max_age asks for the password when the sign-in is older, and 0 always does', async () => {
  const browser = await signIn(await new FormBrowser().get(page()));
  await panel.clock.leap(100_000);
  const asked = [];
  for (const max_age of ['0', '99', '100', '3600']) {
    await browser.get(page({ max_age }));
    asked.push(asksForPassword(browser));
  }
  expect(asked).toEqual([true, true, false, false]);
  await signIn(await browser.get(page({ max_age: '0' })));
  expect(browser.html).toContain('wants to sign you in as');
  await panel.clock.advance(1_000);
  expect(told(await browser.get(page({ prompt: 'none', max_age: '0' })))).toEqual(error('login_required'));
});

test('the preflight of the API says the same: who signs in anew, and what the node is told', async () => {
  const fresh = await panel.world.tenant();
  const node = await enrollClient(panel, fresh);
  const request = {
    clientId: node.id,
    redirectUri: node.redirectUri,
    codeChallenge: pkce().challenge,
    state: 'st',
  };
  const ask = async (more: Record<string, unknown>) =>
    fresh.graphql(
      'query($input: AuthorizationRequestInput!) { authorizationPreflight(input: $input) { consentId } }',
      { input: { ...request, ...more } },
    );
  const query = new URLSearchParams({ error: 'consent_required', state: 'st', iss: panel.panel.url });
  expect(refusal(await ask({ prompt: 'none' }))).toEqual({
    code: 'BAD_REQUEST',
    reason: 'CONSENT_REQUIRED',
    details: { redirectTo: `${node.redirectUri}?${query.toString()}` },
  });
  expect((await ask({ prompt: 'login', maxAge: 60 })).errors).toBeUndefined();
  expect((await exchange(panel, await codeFor(fresh, node))).status).toBe(200);
  expect((await ask({ prompt: 'none' })).errors).toBeUndefined();
  await panel.clock.leap(130_000);
  const again = { code: 'BAD_REQUEST', reason: 'LOGIN_REQUIRED' };
  expect(refusal(await ask({ prompt: 'login' }))).toEqual(again);
  expect(refusal(await ask({ maxAge: 129 }))).toEqual(again);
  expect((await ask({ maxAge: 130 })).errors).toBeUndefined();
  const rest = async (more: Record<string, string>) =>
    preflight(fresh, {
      client_id: node.id,
      redirect_uri: node.redirectUri,
      code_challenge: request.codeChallenge,
      ...more,
    });
  expect((await rest({ prompt: 'none', max_age: '200' })).status).toBe(200);
  expect((await rest({ prompt: 'none login' })).body).toEqual({
    error: 'prompt=none must be alone, and max_age a whole number of seconds',
  });
  expect((await rest({ max_age: 'soon' })).status).toBe(400);
});

test('userinfo answers POST as it does GET, and the metadata says which prompts there are', async () => {
  const { body } = await exchange(panel, await codeFor(tenant, client));
  const token = body.access_token;
  const got = await panel.world.rest('/api/oauth/userinfo', { token });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const headers of [undefined, form]) {
    const posted = await panel.world.rest('/api/oauth/userinfo', {
      method: 'POST',
      token,
      ...(headers ? { headers } : {}),
    });
    expect([posted.status, posted.body]).toEqual([200, got.body]);
  }
  expect((await panel.world.rest('/api/oauth/userinfo', { method: 'POST' })).status).toBe(401);
  const metadata = await panel.world.rest('/.well-known/openid-configuration');
  expect(metadata.body).toMatchObject({ prompt_values_supported: ['none', 'login', 'consent'] });
});
