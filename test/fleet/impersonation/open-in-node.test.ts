import { decodeJwt, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createAgent } from '#agent/agent.js';
import { createLogger } from '#agent/logger.js';
import { memoryStateStore } from '#agent/state-store.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { steadyMetrics } from '../../agent/support/node.js';
import { entryOf } from '../../identity/audit/support.js';
import { Mailbox } from '../../identity/support/mailbox.js';
import { giveRole, member, remove } from '../../identity/support/member.js';
import { startTestPanel, testSecretsKey, type TestPanel } from '../../support/panel.js';
import { freePort } from '../../support/process.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Node, type Tenant } from '../../support/world.js';
import { mint, redeem, tokenOf } from './support.js';

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const used = { status: 400, body: { error: 'The token was used already' } };

describe('minting', () => {
  test("the reference's example answers the node's address with a token for it, and nothing else", async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('my-node');
    const { url, token, body } = await mint(tenant, node, { reason: 'Support case 7' });
    const now = Math.floor(panel.clock.now().getTime() / 1000);
    expect(Object.keys(body)).toEqual(['session_url']);
    expect([url.origin, url.pathname]).toEqual(['https://my-node.example.com', '/api/cp/session']);
    expect(decodeJwt(token)).toEqual({
      iss: 'http://panel.test',
      aud: node.id,
      sub: tenant.user.id,
      act: { sub: tenant.user.id },
      tenant: tenant.id,
      sid: decodeJwt(tenant.token)['sid'],
      jti: expect.any(String),
      reason: 'Support case 7',
      iat: now,
      exp: now + 60,
    });
  });

  test('needs no body, and takes a reason of 500 characters at most', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const path = `/api/fleet/instances/${node.id}/impersonate`;
    const bare = await tenant.rest(path, { method: 'POST' });
    const long = await tenant.rest(path, { body: { reason: 'x'.repeat(501) } });
    expect([bare.status, long.status, long.body]).toEqual([
      200,
      422,
      { error: 'Validation failed', details: { reason: 'Reason must have at most 500 characters' } },
    ]);
  });

  test("another tenant's node is not found", async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await other.node();
    const answer = await tenant.rest(`/api/fleet/instances/${node.id}/impersonate`, { method: 'POST' });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 404,
      body: { error: 'Instance not found' },
    });
  });

  test('owners and admins may, and nobody else', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const path = `/api/fleet/instances/${node.id}/impersonate`;
    const answers: Record<string, number> = {};
    for (const role of ['OWNER', 'ADMIN', 'OPERATOR', 'BILLING', 'VIEWER'] as const) {
      const token = await tokenInRole(panel, tenant, role);
      answers[role] = (await panel.world.rest(path, { method: 'POST', token })).status;
    }
    answers['node'] = (await panel.world.rest(path, { method: 'POST', token: node.credential })).status;
    expect(answers).toEqual({ OWNER: 200, ADMIN: 200, OPERATOR: 403, BILLING: 403, VIEWER: 403, node: 403 });
  });
});

describe('redeeming', () => {
  test('tells the node once who it is, and who acts and why', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const { token } = await mint(tenant, node, { reason: 'Support case 7' });
    expect(await redeem(node, token)).toEqual({
      status: 200,
      body: {
        user: { id: tenant.user.id, email: tenant.user.email, name: 'Owner' },
        actor: tenant.user.id,
        reason: 'Support case 7',
        expires_in: 1800,
      },
    });
    expect(await redeem(node, token)).toEqual(used);
  });

  test('of ten at once one gets in', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const { token } = await mint(tenant, node);
    const answers = await Promise.all(Array.from({ length: 10 }, async () => redeem(node, token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status !== 200)).toEqual(Array.from({ length: 9 }, () => used));
  });

  test('another node is refused, of this tenant or of another, and the token still works for its own', async () => {
    const [tenant, foreigners] = [await panel.world.tenant(), await panel.world.tenant()];
    const [node, other, foreign] = [await tenant.node(), await tenant.node(), await foreigners.node()];
    const { token } = await mint(tenant, node);
    const wrong = { status: 400, body: { error: 'The token is for another node' } };
    expect([await redeem(other, token), await redeem(foreign, token)]).toEqual([wrong, wrong]);
    expect((await redeem(node, token)).status).toBe(200);
  });

  test('after 60 seconds it is refused', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const [late, intime] = [await mint(tenant, node), await mint(tenant, node)];
    await panel.clock.advance(59_000);
    expect((await redeem(node, intime.token)).status).toBe(200);
    await panel.clock.advance(1_000);
    expect(await redeem(node, late.token)).toEqual({
      status: 400,
      body: { error: 'The token has expired' },
    });
  });

  test.for<
    [string, (tenant: Tenant, admin: { accessToken: string; user: { id: string } }) => Promise<unknown>]
  >([
    [
      'session has ended',
      async (_, { accessToken }) => {
        await panel.world.rest('/api/auth/logout', { method: 'POST', token: accessToken });
      },
    ],
    ['role was changed', async (tenant, { user }) => giveRole(tenant, user.id, 'VIEWER')],
    ['account was removed', async (tenant, { user }) => remove(tenant, user.id)],
  ])('nobody is let in whose %s since', async ([, end]) => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const [node, admin] = [await tenant.node(), await member(tenant, mailbox)];
    const minted = await panel.world.rest<{ session_url: string }>(
      `/api/fleet/instances/${node.id}/impersonate`,
      { method: 'POST', token: admin.accessToken },
    );
    await end(tenant, admin);
    expect(await redeem(node, tokenOf(minted))).toEqual({
      status: 400,
      body: { error: 'The session that asked for the token has ended' },
    });
    expect(await entryOf(tenant, 'impersonation_refused')).toMatchObject({
      actor: node.id,
      details: { reason: 'ACCESS_ENDED', impersonator: admin.user.id },
    });
  });

  test('a token that the panel did not make for this is refused', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const { token } = await mint(tenant, node);
    const [header, , signature] = token.split('.');
    const altered = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'usr_other' })).toString(
      'base64url',
    );
    const [agentKey] = Keyring.parse(testSecretsKey).derive('agent');
    const byAgentKey = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: 'EdDSA', kid: agentKey.kid, typ: 'impersonation+jwt' })
      .sign(agentKey.privateKey);
    const tokens = [
      'nonsense',
      `${header}.${altered}.${signature}`,
      byAgentKey,
      tenant.token,
      node.credential,
    ];
    const answers = await Promise.all(tokens.map(async (each) => redeem(node, each)));
    expect(answers).toEqual(tokens.map(() => ({ status: 400, body: { error: 'The token is not valid' } })));
  });

  test('the token opens nothing else at the panel', async () => {
    const tenant = await panel.world.tenant();
    const { token } = await mint(tenant, await tenant.node());
    expect((await panel.world.rest('/api/fleet/instances', { token })).status).toBe(401);
  });

  test('users may not redeem', async () => {
    const tenant = await panel.world.tenant();
    const { token } = await mint(tenant, await tenant.node());
    const answer = await tenant.rest('/api/agent/impersonation/redeem', { body: { token } });
    expect(answer.status).toBe(403);
  });
});

test('a browser opens a node from the panel: the node lets it in once and gives no address away', async () => {
  const tenant = await panel.world.tenant();
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  let isBeating = false;
  const agent = createAgent({
    panelUrl: panel.panel.url,
    enrollmentToken: await tenant.enrollmentToken(),
    name: 'open-me',
    hostname: 'open-me.example.com',
    version: '0.2.9',
    baseUrl,
    signIn: true,
    stateStore: memoryStateStore(),
    metrics: { collect: async () => steadyMetrics },
    logger: createLogger('silent'),
    firstBeatWithinMs: 0,
    onEvent: ({ type }) => {
      isBeating ||= type === 'beat-accepted';
    },
  });
  await agent.start();
  onTestFinished(() => agent.stop());
  await until(async () => isBeating, 'the first beat');

  const { url } = await mint(tenant, { id: agent.instanceId } as Node, { reason: 'Look <here>' });
  expect(url.origin).toBe(baseUrl);
  const first = await fetch(url, { redirect: 'manual' });
  const cookie = first.headers.getSetCookie()[0] ?? '';
  const page = await fetch(baseUrl, { headers: { cookie: cookie.split(';')[0]! } });
  const again = await fetch(url, { redirect: 'manual' });
  expect({
    status: first.status,
    to: first.headers.get('location'),
    referrer: [first, page, again].map(({ headers }) => headers.get('referrer-policy')),
    isHttpOnly: cookie.includes('HttpOnly'),
    page: page.status,
    again: again.status,
    hasSecondCookie: again.headers.getSetCookie().length > 0,
  }).toEqual({
    status: 303,
    to: '/',
    referrer: ['no-referrer', 'no-referrer', 'no-referrer'],
    isHttpOnly: true,
    page: 200,
    again: 400,
    hasSecondCookie: false,
  });
  const text = await page.text();
  expect(text).toContain(tenant.user.email);
  expect(text).toContain('Look &lt;here&gt;');
  expect(await (await fetch(baseUrl)).text()).not.toContain(tenant.user.email);
});
