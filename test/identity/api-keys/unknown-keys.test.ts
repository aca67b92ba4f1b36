import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ RATE_LIMIT_PER_MINUTE: '100' });
});
afterAll(async () => panel.stop());

const keyOf = async (tenant: Tenant): Promise<string> =>
  dataOf(
    await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      {
        input: { name: 'CI', permissions: ['fleet.instance.read'], currentPassword: tenant.account.password },
      },
    ),
  ).createApiKey.key;

const list = async (token: string) => panel.world.rest('/api/fleet/instances', { token });

test('while keys can not be looked up, they are neither refused nor taken', async () => {
  const tenant = await panel.world.tenant();
  const key = await keyOf(tenant);
  await panel.sql('alter function identity.find_api_key(text) rename to find_api_key_away');
  const rest = await list(key);
  expect([rest.status, rest.headers.get('retry-after'), rest.body]).toEqual([
    503,
    '2',
    { error: 'API keys can not be checked for the moment' },
  ]);
  expect(refusal(await panel.world.graphql('{ tenant { id } }', {}, key))).toEqual({
    code: 'UNAVAILABLE',
    retryAfterSeconds: 2,
  });
  await using live = new Live(panel.panel.url, key, 'subscription { instanceChanged { id } }');
  await live.ended();
  expect(live.closeCode).toBe(1013);
  await panel.sql('alter function identity.find_api_key_away(text) rename to find_api_key');
  expect((await list(key)).status).toBe(200);
});

test('an address that tries keys that are none may not go on, whatever else it sends, and keys known as good stay good', async () => {
  const tenant = await panel.world.tenant();
  const key = await keyOf(tenant);
  expect((await list(key)).status).toBe(200);
  const tried = new Set<number>();
  for (let guess = 0; guess < 12; guess += 1) {
    tried.add((await list(`qcp_${randomBytes(32).toString('base64url')}`)).status);
  }
  expect(tried).toEqual(new Set([401, 429]));
  const over = await list(`qcp_${'A'.repeat(43)}`);
  expect([over.status, over.headers.get('retry-after'), over.body]).toEqual([
    429,
    '60',
    { error: 'Too many API keys were tried that are none' },
  ]);
  expect((await list(key)).status).toBe(200);
});

test('a key that is none counts once for a while, answers carry the allowance, and sign-in is not touched', async () => {
  const tenant = await panel.world.tenant();
  const bad = `qcp_${'B'.repeat(43)}`;
  await panel.clock.advance(60_000);
  for (let again = 0; again < 8; again += 1) {
    const answer = await list(bad);
    expect([401, 429]).toContain(answer.status);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('100');
  }
  expect((await panel.world.login(tenant.account.email, tenant.account.password)).status).toBe(200);
});

test('webhooks are refused unread unless they are signed, and an address that is refused may not go on', async () => {
  const { port } = new URL(panel.panel.url);
  const path = '/webhooks/gitops/git_01m8k92t1sf249450kzv7aaaaa';
  // Its body never comes.
  const halfSent = async (headers: Record<string, string>) => {
    const sending = request({
      port,
      method: 'POST',
      path,
      headers: { ...headers, 'content-length': '1000' },
    });
    sending.write('{');
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    sending.on('error', () => undefined).destroy();
    return answer.statusCode;
  };
  await panel.sql('alter table governance.gitops_config rename to gitops_config_away');
  expect(await halfSent({})).toBe(401);
  await panel.sql('alter table governance.gitops_config_away rename to gitops_config');
  const forged = { 'x-gitlab-token': 'a guess' };
  expect(await halfSent(forged)).toBe(401);
  const answers: number[] = [];
  for (let made = 0; made < 100; made += 1)
    answers.push((await fetch(panel.panel.url + path, { method: 'POST', headers: forged })).status);
  expect(answers).toEqual([...Array(98).fill(401), 429, 429]);
  const over = await fetch(panel.panel.url + path, { method: 'POST', headers: forged });
  expect([over.status, over.headers.has('retry-after')]).toEqual([429, true]);
  // Stripe's come from addresses that all of its accounts share.
  const stripe = await fetch(`${panel.panel.url}/webhooks/stripe`, { method: 'POST' });
  expect(stripe.status).not.toBe(429);
});
