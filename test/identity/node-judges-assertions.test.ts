import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Visits } from '#agent/impersonation/visits.js';
import { startSignInListener } from '#agent/sign-in/listener.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { FormBrowser } from './support/browser.js';
import { freePort } from './support/oauth.js';
import { StandInProvider, type Fault } from './support/provider.js';

const clientId = 'inst_1';

let provider: StandInProvider;
let clock: TestClock;
let baseUrl: string;
let listener: { stop(): Promise<void> };
beforeEach(async () => {
  provider = await StandInProvider.start();
  clock = new TestClock();
  baseUrl = `http://127.0.0.1:${await freePort()}`;
  const visits = new Visits({
    redeem: async () => ({ kind: 'unavailable', message: 'not asked here' }),
    clock,
    logger: silentLogger,
  });
  const options = { panelUrl: provider.url, issuer: provider.url, baseUrl, name: 'node-01', visits, clock };
  listener = await startSignInListener({
    ...options,
    clientId: () => clientId,
    logger: silentLogger,
    fetch,
  });
});
afterEach(async () => {
  await listener.stop();
  await provider[Symbol.asyncDispose]();
});

/** A browser that came back from the provider. */
async function signIn(browser = new FormBrowser()): Promise<FormBrowser> {
  await browser.get(`${baseUrl}/login`);
  return browser.get(provider.agree(browser.location ?? ''));
}

test('a good assertion signs in', async () => {
  const browser = await signIn();
  expect([browser.status, browser.location]).toEqual([303, `${baseUrl}/`]);
  expect((await browser.follow()).html).toContain('someone@example.com');
});

describe('no one is signed in by an assertion', () => {
  test.each<[string, Fault]>([
    ['for another node', { claims: { aud: 'inst_2' } }],
    ['for nobody in particular', { claims: { aud: undefined } }],
    ['of another issuer', { claims: { iss: 'https://other.example.com' } }],
    ['for another sign-in', { claims: { nonce: 'another' } }],
    ['for no sign-in in particular', { claims: { nonce: undefined } }],
    ['that has ended', { endedAgo: 120 }],
    ['that never ends', { claims: { exp: undefined } }],
    ['without a signature', { unsigned: true }],
    ['of a key that is not published', { kid: 'key_2', otherKey: true }],
    ['that another key has signed', { otherKey: true }],
    ['about nobody', { claims: { sub: undefined } }],
  ])('%s', async (_what, fault) => {
    provider.fault = fault;
    const browser = await signIn();
    expect([browser.status, browser.location]).toEqual([400, null]);
    expect(browser.html).toMatch(/does not verify|answered for another sign-in/);
    expect((await browser.get(baseUrl)).html).toContain('You are not signed in');
  });
});

describe('what the panel says of itself', () => {
  test('counts only if it calls itself as the node knows it', async () => {
    provider.issuer = 'https://other.example.com';
    const browser = await new FormBrowser().get(`${baseUrl}/login`);
    expect([browser.status, browser.location]).toEqual([400, null]);
    expect(browser.html).toContain('calls itself https://other.example.com');
    provider.issuer = provider.url;
    expect((await signIn()).status).toBe(303);
  });

  test('is kept for five minutes', async () => {
    for (let visit = 0; visit < 3; visit += 1) await new FormBrowser().get(`${baseUrl}/login`);
    expect(provider.reads).toBe(1);
    await clock.advance(5 * 60_000);
    await new FormBrowser().get(`${baseUrl}/login`);
    expect(provider.reads).toBe(2);
  });
});

test('two sign-ins under way in one browser both end well', async () => {
  const browser = await new FormBrowser().get(`${baseUrl}/login`);
  const first = provider.agree(browser.location ?? '');
  await browser.get(`${baseUrl}/login`);
  const second = provider.agree(browser.location ?? '');
  for (const answer of [second, first]) {
    await browser.get(answer);
    expect([browser.status, browser.location]).toEqual([303, `${baseUrl}/`]);
  }
  // Each is good for one return, and for the browser that began it.
  expect((await browser.get(first)).status).toBe(400);
  expect((await new FormBrowser().get(second)).status).toBe(400);
});
