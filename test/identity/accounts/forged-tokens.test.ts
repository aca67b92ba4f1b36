import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, type JWTHeaderParameters } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Keyring } from '#platform/secrets/keyring.js';

import { refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { ordinaryBeat, World, type Node, type Tenant } from '../../support/world.js';

let panel: TestPanel;
let tenant: Tenant;
let node: Node;
beforeAll(async () => {
  panel = await startTestPanel();
  tenant = await panel.world.tenant();
  node = await tenant.node();
});
afterAll(async () => panel.stop());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What an attacker knows: the claims of a real token and the key ids of the panel. */
const claims = () => decodeJwt(tenant.token);
const header = () => decodeProtectedHeader(tenant.token) as JWTHeaderParameters;

const forgeries: Record<string, () => Promise<string> | string> = {
  'signed by another key under the name of a real one': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT(claims()).setProtectedHeader(header()).sign(privateKey);
  },
  'signed by an unknown key': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT(claims()).setProtectedHeader({ ...header(), kid: 'key_other' }).sign(privateKey);
  },
  'without a key id': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey);
  },
  'with "alg": "none"': () => `${base64url({ ...header(), alg: 'none' })}.${base64url(claims())}.`,
  'with "alg": "none" and the old signature': () =>
    `${base64url({ ...header(), alg: 'none' })}.${tenant.token.split('.').slice(1).join('.')}`,
  'with an HMAC made of the public key': async () => {
    const { keys } = (await panel.world.rest<{ keys: unknown[] }>('/.well-known/jwks.json')).body;
    return new SignJWT(claims())
      .setProtectedHeader({ ...header(), alg: 'HS256' })
      .sign(Buffer.from(JSON.stringify(keys[0])));
  },
  'carrying its own key': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const { keys } = (await panel.world.rest<{ keys: Record<string, string>[] }>('/.well-known/jwks.json'))
      .body;
    return new SignJWT(claims()).setProtectedHeader({ ...header(), jwk: keys[0]! }).sign(privateKey);
  },
  'with other claims under a real signature': () => {
    const [head, , signature] = tenant.token.split('.');
    return `${head}.${base64url({ ...claims(), admin: true })}.${signature}`;
  },
  'with another tenant under a real signature': () => {
    const [head, , signature] = tenant.token.split('.');
    return `${head}.${base64url({ ...claims(), tenant: 'org_01h455vb4pex5vsknk084sn02q' })}.${signature}`;
  },
  'cut short': () => tenant.token.slice(0, -8),
  'of a node, called a user token': async () => {
    // A node has no key, but even the key that signs credentials must not make users.
    const [agentKey] = new Keyring([Buffer.alloc(32, 7)]).derive('agent');
    return new SignJWT(claims())
      .setProtectedHeader({ alg: 'EdDSA', kid: agentKey.kid, typ: 'at+jwt' })
      .sign(agentKey.privateKey);
  },
  'of a service, signed by the key of nodes': async () => {
    const [agentKey] = new Keyring([Buffer.alloc(32, 7)]).derive('agent');
    return new SignJWT({ ...claims(), permissions: ['identity.user.read'] })
      .setProtectedHeader({ alg: 'EdDSA', kid: agentKey.kid, typ: 'svc+jwt' })
      .sign(agentKey.privateKey);
  },
};

test.concurrent.for(Object.entries(forgeries))('a token %s is refused', async ([, forge]) => {
  const token = await forge();
  const answer = await panel.world.rest('/api/auth/me', { token });
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('Bearer'),
  ]);
  expect(refusal(await panel.world.graphql('{ me { id } }', {}, token))).toEqual({
    code: 'UNAUTHENTICATED',
    reason: 'TOKEN_INVALID',
  });
});

test.concurrent.for(['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer a b', 'Bearer üñï', 'bearer: x'])(
  'the Authorization header "%s" signs nobody in',
  async (authorization) => {
    const bytes = Buffer.from(authorization, 'utf8').toString('latin1');
    const answer = await panel.world.rest('/api/auth/me', { headers: { authorization: bytes } });
    expect(answer.status).toBe(401);
  },
);

test.concurrent('a real token passes, which the forgeries are made of', async () => {
  expect((await tenant.rest('/api/auth/me')).status).toBe(200);
});

test.concurrent('a public mutation works whatever token comes along', async () => {
  const answer = await panel.world.rest('/api/auth/login', { token: 'forged', body: tenant.account });
  expect(answer.status).toBe(200);
});

test.concurrent('a token of another panel is refused, although the keys are the same', async () => {
  await using other = await startTestPanel({ PUBLIC_URL: 'http://other.test' });
  const stranger = await other.world.tenant();
  const foreign = await stranger.node();
  expect((await panel.world.rest('/api/auth/me', { token: stranger.token })).status).toBe(401);
  const beat = await panel.world.rest('/api/agent/heartbeat', {
    token: foreign.credential,
    body: ordinaryBeat,
  });
  expect(beat.status).toBe(401);
});

test.concurrent('a panel that got another address takes the credentials of its nodes, and no other token of before', async () => {
  await using before = await startTestPanel();
  const owner = await before.world.tenant();
  const known = await owner.node();
  await before.panel.stop();
  const renamed = await before.another({ PUBLIC_URL: 'https://renamed.test' });
  const world = new World(renamed.url, before.clock);
  const beat = await world.rest('/api/agent/heartbeat', { token: known.credential, body: ordinaryBeat });
  expect(beat.status).toBe(200);
  expect((await world.rest('/api/auth/me', { token: owner.token })).status).toBe(401);
});

test.concurrent("a node's credential opens no route of users", async () => {
  const answers = await Promise.all([
    panel.world.rest('/api/auth/me', { token: node.credential }),
    panel.world.rest('/api/fleet/instances', { token: node.credential }),
    panel.world.rest('/api/fleet/tokens', { token: node.credential, body: { name: 'mine' } }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
});
