import { randomUUID } from 'node:crypto';

import { expect, test } from 'vitest';

import { FormBrowser } from '../identity/support/browser.js';
import {
  authorizePage,
  enrollClient,
  exchange,
  pkce,
  startReachablePanel,
} from '../identity/support/oauth.js';

const limit = 100;

test('the forms of the authorize page draw on the allowance for guesses, together with the API', async () => {
  await using panel = await startReachablePanel({ RATE_LIMIT_PER_MINUTE: String(limit) });
  const client = await enrollClient(panel, await panel.world.tenant());
  const browser = await new FormBrowser().get(authorizePage(panel, client));
  const page = browser.html;
  const statuses: number[] = [];
  for (let guess = 0; guess < limit / 10 + 1; guess += 1) {
    browser.html = page;
    await browser.submit({ email: `${randomUUID()}@example.com`, password: 'x' });
    statuses.push(browser.status);
  }
  expect(statuses.at(0)).toBe(401);
  expect(statuses.at(-1)).toBe(429);
  expect(browser.headers.get('retry-after')).toMatch(/^\d+$/);
  const login = await panel.world.login('nobody@example.com', 'wrong');
  expect(login.status).toBe(429);
  // Looking at the page is no guess.
  expect((await browser.get(browser.url)).status).toBe(200);
});

test('the token endpoint refuses too many requests in the words of RFC 6749, and its answers are kept by nobody', async () => {
  await using panel = await startReachablePanel({ RATE_LIMIT_PER_MINUTE: String(limit) });
  const nonsense = { grant_type: 'authorization_code', code: 'x', redirect_uri: 'x', client_id: 'x' };
  const ask = async () => exchange(panel, { ...nonsense, code_verifier: pkce().verifier });
  const kept = ({ headers }: { headers: Headers }) => [headers.get('cache-control'), headers.get('pragma')];
  const first = await ask();
  expect([first.status, first.body.error, ...kept(first)]).toEqual([
    401,
    'invalid_client',
    'no-store',
    'no-cache',
  ]);
  // First the guesses are used up, and then the address's whole allowance.
  for (const requests of [limit / 10, limit]) {
    await Promise.all(Array.from({ length: requests }, async () => ask()));
    const refused = await ask();
    expect([refused.status, refused.body, ...kept(refused)]).toEqual([
      429,
      {
        error: 'temporarily_unavailable',
        error_description: expect.stringMatching(/^More than \d+ requests/),
      },
      'no-store',
      'no-cache',
    ]);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  }
});
