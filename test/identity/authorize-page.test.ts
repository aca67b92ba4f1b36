import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { FormBrowser } from './support/browser.js';
import { startNode } from './support/node.js';
import {
  authorizePage,
  enrollClient,
  pkce,
  preflight,
  startReachablePanel,
  type Client,
} from './support/oauth.js';
import { enableTotp, nextCode } from './support/totp.js';

// Its first URL takes fast-check seconds, in which this process, panel included, does nothing else: time enough for kept
// connections to end under whoever uses them next. So it is made before there are any.
const anyUrl = fc.webUrl({ withFragments: true, withQueryParameters: true });
fc.sample(anyUrl, 1);

let panel: TestPanel;
let tenant: Tenant;
let client: Client;
beforeAll(async () => {
  panel = await startReachablePanel();
  tenant = await (await panel.world.tenant()).grantPlan('ENTERPRISE');
  client = await enrollClient(panel, tenant);
});
afterAll(async () => panel.stop());

const page = (change: Record<string, string> = {}) => authorizePage(panel, client, change);

async function signedIn(): Promise<FormBrowser> {
  const browser = await new FormBrowser().get(page());
  await browser.submit({ email: tenant.account.email, password: tenant.account.password });
  expect([browser.status, browser.location]).toEqual([303, browser.url]);
  return browser.follow();
}

test('signing in and agreeing leads to the node with a code, and a session of the panel is listed', async () => {
  const browser = await signedIn();
  expect(browser.html).toContain('wants to sign you in as');
  await browser.submit({ approve: 'yes' });
  expect(browser.status).toBe(303);
  const target = new URL(browser.location ?? '');
  expect(`${target.origin}${target.pathname}`).toBe(client.redirectUri);
  expect([...target.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
  const { body } = await tenant.rest<unknown[]>('/api/auth/sessions');
  expect(body.length).toBeGreaterThan(1);
});

test('every page forbids frames, scripts and caches', async () => {
  const browser = new FormBrowser();
  for (const url of [page(), page({ redirect_uri: 'https://evil.example.com/' })]) {
    await browser.get(url);
    expect(browser.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    expect(browser.headers.get('x-frame-options')).toBe('DENY');
    expect(browser.headers.get('cache-control')).toBe('no-store');
    expect(browser.html).not.toContain('<script');
  }
});

test('the cookie is for this page alone, and tells a script nothing', async () => {
  const browser = await new FormBrowser().get(page());
  expect(browser.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^quazzar_sign_in=[^;]+; Path=\/oauth; HttpOnly; SameSite=Lax$/),
  ]);
});

describe('a form that was not made for the browser is refused', () => {
  test('without a token, with a wrong one, and without the cookie', async () => {
    const browser = await signedIn();
    const checked = await preflight(tenant, {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: pkce().challenge,
    });
    const fields = { step: 'consent', consent_id: checked.body.consent_id, approve: 'yes' };
    for (const csrf of [undefined, '', 'x'.repeat(43)]) {
      await browser.post({ ...fields, ...(csrf === undefined ? {} : { csrf }) });
      expect([browser.status, browser.location]).toEqual([403, null]);
    }
    const stranger = await new FormBrowser().get(page());
    stranger.clearCookies();
    await stranger.submit({ email: tenant.account.email, password: tenant.account.password });
    expect(stranger.status).toBe(403);
  });

  test("with another session's consent", async () => {
    const browser = await signedIn();
    const checked = await preflight(tenant, {
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: pkce().challenge,
    });
    await browser.submit({ consent_id: checked.body.consent_id, approve: 'yes' });
    expect([browser.status, browser.location]).toEqual([400, null]);
  });

  test('the token changes when somebody signs in', async () => {
    const browser = await new FormBrowser().get(page());
    const before = /name="csrf" value="([^"]+)"/.exec(browser.html)?.[1] ?? '';
    await browser.submit({ email: tenant.account.email, password: tenant.account.password });
    await browser.follow();
    await browser.post({ csrf: before, step: 'leave' });
    expect(browser.status).toBe(403);
  });
});

test('a wrong password and an unknown e-mail get the same page', async () => {
  const pages: string[] = [];
  for (const email of [tenant.account.email, `nobody-${tenant.account.email}`]) {
    const browser = await new FormBrowser().get(page());
    await browser.submit({ email, password: 'wrong password here' });
    expect(browser.status).toBe(401);
    pages.push(browser.html.replaceAll(email, '').replaceAll(/name="csrf" value="[^"]+"/g, ''));
  }
  expect(pages[0]).toBe(pages[1]);
});

test("another organization's node is refused, with a way to another account", async () => {
  const stranger = await panel.world.tenant();
  const browser = await new FormBrowser().get(page());
  await browser.submit({ email: stranger.account.email, password: stranger.account.password });
  await browser.follow();
  expect(browser.status).toBe(400);
  expect(browser.html).toContain('No node of your organization');
  await browser.submit({});
  await browser.follow();
  expect(browser.html).toContain('name="password"');
});

test('ending the session at the panel signs the browser out', async () => {
  const browser = await signedIn();
  const { body } = await tenant.rest<{ id: string; current: boolean }[]>('/api/auth/sessions');
  for (const session of body.filter(({ current }) => !current)) {
    await tenant.rest(`/api/auth/sessions/${session.id}`, { method: 'DELETE' });
  }
  await browser.get(page());
  expect(browser.html).toContain('name="password"');
});

describe('a request that is not in order is told, and never redirected', () => {
  test.each<[string, Record<string, string>]>([
    ['plain', { code_challenge_method: 'plain' }],
    ['no challenge', { code_challenge: '' }],
    ['implicit', { response_type: 'token' }],
    ['unknown node', { client_id: 'inst_unknown' }],
    ['a null character', { state: 'a\0b' }],
  ])('%s', async (_name, change) => {
    const browser = await new FormBrowser().get(page(change));
    expect([browser.status, browser.location]).toEqual([400, null]);
  });

  test('a repeated parameter', async () => {
    const browser = await new FormBrowser().get(`${page()}&redirect_uri=https://evil.example.com/`);
    expect([browser.status, browser.location]).toEqual([400, null]);
  });

  test('redirect URIs near the registered one', async () => {
    const browser = await signedIn();
    const uri = new URL(client.redirectUri);
    const near = [
      `${client.redirectUri}/`,
      `${client.redirectUri}?x=1`,
      `${client.redirectUri}#x`,
      `${client.redirectUri}/../evil`,
      client.redirectUri.replace('https:', 'http:'),
      client.redirectUri.toUpperCase(),
      `${uri.origin}.evil.example.com${uri.pathname}`,
      `https://user@${uri.host}${uri.pathname}`,
      `https://evil.example.com/${client.redirectUri}`,
      `//${uri.host}${uri.pathname}`,
      `javascript:alert(1)//${client.redirectUri}`,
      `${uri.origin}@evil.example.com${uri.pathname}`,
      ` ${client.redirectUri}`,
      '',
    ];
    for (const redirect_uri of near) {
      await browser.get(page({ redirect_uri }));
      expect([redirect_uri, browser.status, browser.location]).toEqual([redirect_uri, 400, null]);
      const checked = await preflight(tenant, {
        client_id: client.id,
        redirect_uri,
        code_challenge: pkce().challenge,
      });
      expect([redirect_uri, checked.status]).toEqual([redirect_uri, 400]);
    }
  });

  test('any other redirect URI', async () => {
    const uri = fc.oneof(anyUrl, fc.string(), mutated());
    await fc.assert(
      fc.asyncProperty(uri, async (redirect_uri) => {
        fc.pre(redirect_uri !== client.redirectUri);
        const browser = await new FormBrowser().get(page({ redirect_uri }));
        expect(browser.status).toBe(400);
        expect(browser.location).toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  /** The registered URI with a character put in, taken out or changed. */
  function mutated() {
    return fc
      .tuple(fc.nat(200), fc.string({ minLength: 0, maxLength: 2 }), fc.nat(2))
      .map(([at, text, cut]) => {
        const index = at % client.redirectUri.length;
        return client.redirectUri.slice(0, index) + text + client.redirectUri.slice(index + cut);
      });
  }
});

describe('a node of its own', () => {
  test('signs a user in with a one-time code, without a browser that runs scripts', async () => {
    const user = await panel.world.tenant();
    const { secret } = await enableTotp(panel, user);
    await using node = await startNode(panel, user);
    const browser = await new FormBrowser().get(`${node.baseUrl}/login`);
    await browser.follow();
    await browser.submit({ email: user.account.email, password: user.account.password });
    await browser.submit({ code: '000000' });
    expect(browser.status).toBe(401);
    await browser.submit({ code: await nextCode(panel, secret) });
    await browser.follow();
    await browser.submit({ approve: 'yes' });
    await browser.follow();
    expect([browser.url, browser.status]).toEqual([`${node.baseUrl}/`, 200]);
    expect(browser.html).toContain(user.account.email);
  });

  test('refuses an answer that it did not ask for, or that another issuer gave', async () => {
    const user = await panel.world.tenant();
    await using node = await startNode(panel, user);
    const browser = await new FormBrowser().get(
      `${node.baseUrl}/callback?code=x&state=y&iss=${panel.panel.url}`,
    );
    expect([browser.status, browser.html]).toEqual([
      400,
      expect.stringContaining('not begun in this browser'),
    ]);
    await browser.get(`${node.baseUrl}/login`);
    const state = new URL(browser.location ?? '').searchParams.get('state') ?? '';
    await browser.get(`${node.baseUrl}/callback?code=x&state=${state}&iss=https://evil.example.com`);
    expect([browser.status, browser.html]).toEqual([400, expect.stringContaining('another panel')]);
    await browser.get(`${node.baseUrl}/callback?code=x&state=${state}&iss=${panel.panel.url}`);
    expect(browser.status).toBe(400);
  });
});
