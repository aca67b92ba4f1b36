import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { ordinaryBeat, type Tenant } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const hour = 60 * 60 * 1000;
const node = { name: 'production-01', hostname: 'Production-01.example.com', version: '0.2.9' };

const enroll = async (token: string, more: Record<string, unknown> = {}) =>
  panel.world.rest('/api/agent/enroll', { body: { token, ...node, ...more } });

/** Why a token is refused, as GraphQL tells it. */
async function reasonFor(token: string): Promise<Record<string, unknown>> {
  const answer = await panel.world.graphql(
    'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId } }',
    { input: { token, ...node } },
  );
  return refusal(answer);
}

async function instancesOf(tenant: Tenant): Promise<Record<string, unknown>[]> {
  return panel.sql('select * from fleet.instance where tenant_id = $1', [tenant.id]);
}

test('a node that enrolls becomes an instance of the tenant of its token, with a credential of 30 days', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ tags: ['eu', 'null'] });
  const answer = await enroll(token, {
    redirect_uris: ['https://production-01.example.com/callback'],
    public_key: '-----BEGIN PUBLIC KEY-----',
  });
  expect([answer.status, answer.body]).toEqual([
    201,
    {
      instance_id: expect.stringMatching(/^inst_[0-9a-z]{26}$/),
      credential: expect.any(String),
      heartbeat_seconds: 30,
    },
  ]);
  const now = panel.clock.now();
  const [{ id: tokenId }] = (await tenant.rest<[{ id: string }]>('/api/fleet/tokens')).body;
  const [row] = await instancesOf(tenant);
  expect(row).toMatchObject({
    tenant_id: tenant.id,
    id: answer.body.instance_id,
    name: 'production-01',
    hostname: 'production-01.example.com',
    version: '0.2.9',
    base_url: 'https://production-01.example.com',
    redirect_uris: ['https://production-01.example.com/callback'],
    public_key: '-----BEGIN PUBLIC KEY-----',
    // A word like any other, also where PostgreSQL has a meaning of its own for it.
    tags: ['eu', 'null'],
    enrolled_at: now,
    enrollment_token_id: tokenId,
    credential_generation: 1,
    last_seen_at: null,
    offline_at: null,
  });
  const credential = String(answer.body.credential);
  await panel.world.rest('/api/agent/heartbeat', {
    token: credential,
    body: { ...ordinaryBeat, storage_used_gb: 12.5 },
  });
  const shown = await tenant.graphql(
    `query ($id: ID!, $tokenId: ID!) {
       instance(id: $id) { redirectUris enrollmentTokenId storageUsedGb }
       enrollmentToken(id: $tokenId) { uses createdBy }
     }`,
    { id: row!.id, tokenId },
  );
  expect(dataOf(shown)).toEqual({
    instance: {
      redirectUris: ['https://production-01.example.com/callback'],
      enrollmentTokenId: tokenId,
      storageUsedGb: 12.5,
    },
    enrollmentToken: { uses: 1, createdBy: tenant.user.id },
  });
  const issuedAt = now.getTime() / 1000;
  expect(decodeJwt(credential)).toEqual({
    iss: 'http://panel.test',
    aud: 'quazzar-panel',
    sub: row!.id,
    tenant: tenant.id,
    gen: 1,
    iat: issuedAt,
    exp: issuedAt + 30 * 24 * 60 * 60,
  });
  expect(JSON.stringify(await instancesOf(tenant))).not.toContain(answer.body.credential);
});

test('of 50 nodes that enroll at once with a one-use token exactly one gets in', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ max_uses: 1 });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => enroll(token, { name: `n-${index}` })),
  );
  const winners = answers.filter(({ status }) => status === 201);
  const losers = answers.filter(({ status }) => status !== 201);
  expect(winners).toHaveLength(1);
  expect(losers.map(({ status, body }) => [status, body])).toEqual(
    Array.from({ length: 49 }, () => [401, { error: 'The enrollment token has no uses left' }]),
  );
  const rows = await instancesOf(tenant);
  expect(rows.map(({ id }) => id)).toEqual([winners[0]!.body.instance_id]);
  const [stored] = await panel.sql('select uses from fleet.enrollment_token where tenant_id = $1', [
    tenant.id,
  ]);
  expect(stored).toEqual({ uses: 1 });
  const events = await panel.sql(
    `select entity_id from fleet.outbox where tenant_id = $1 and topic = 'fleet.instance.enrolled'`,
    [tenant.id],
  );
  expect(events).toEqual([{ entity_id: winners[0]!.body.instance_id }]);
});

test('a token for any number of nodes lets many in at once, each counted', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const token = await tenant.enrollmentToken();
  const answers = await Promise.all(Array.from({ length: 10 }, () => enroll(token)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ body }) => body.instance_id)).size).toBe(10);
  const listed = await tenant.rest<unknown[]>('/api/fleet/tokens');
  expect(listed.body).toEqual([
    expect.objectContaining({ uses: 10, max_uses: null, last_used_at: expect.any(String) }),
  ]);
});

test('an unknown token is refused, whatever it looks like', async () => {
  for (const token of ['flt_unknown', `flt_${'A'.repeat(43)}`, `' or true --`]) {
    expect(await reasonFor(token)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
  }
  const answer = await enroll('flt_unknown');
  expect([answer.status, answer.body]).toEqual([401, { error: 'The enrollment token is not valid' }]);
});

test('a used-up token is refused, and says so', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ max_uses: 1 });
  await enroll(token);
  expect(await reasonFor(token)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_USED_UP' });
  expect(await instancesOf(tenant)).toHaveLength(1);
});

test('a revoked token lets nobody in, and who came in by it stays', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ max_uses: 5 });
  const first = await enroll(token);
  const [{ id }] = (await tenant.rest<[{ id: string }]>('/api/fleet/tokens')).body;
  await tenant.rest(`/api/fleet/tokens/${id}`, { method: 'DELETE' });
  expect(await reasonFor(token)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  expect((await instancesOf(tenant)).map((row) => row.id)).toEqual([first.body.instance_id]);
});

test('a token works up to the second at which it expires, and not then', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ expires_in_hours: 1 });
  await panel.clock.leap(hour - 1000);
  expect((await enroll(token)).status).toBe(201);
  await panel.clock.advance(1000);
  expect(await reasonFor(token)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
  expect(await instancesOf(tenant)).toHaveLength(1);
});

test('every field of an enrollment that breaks a rule is named, and the token is not used', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ max_uses: 1 });
  const answer = await enroll(token, {
    name: '',
    hostname: 'not a host',
    version: ' ',
    base_url: 'ftp://example.com',
    redirect_uris: ['nonsense'],
    public_key: 'x'.repeat(8_001),
  });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        name: 'Name is required',
        hostname: 'Hostname must be a host name (RFC 1123)',
        version: 'Version is required',
        base_url: 'Base URL must be an http or https URL',
        'redirect_uris.0': 'Redirect URI must be an http or https URL',
        public_key: 'Public key must have at most 8000 characters',
      },
    },
  ]);
  const missing = await panel.world.rest('/api/agent/enroll', { body: { token } });
  expect([missing.status, missing.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        name: 'Name is required',
        hostname: 'Hostname is required',
        version: 'Version is required',
      },
    },
  ]);
  expect((await enroll(token)).status).toBe(201);
});

test('a bad host name with redirect URIs is bad input like any other', async () => {
  const token = await (await panel.world.tenant()).enrollmentToken();
  for (const bad of [{ hostname: 'not a host' }, { base_url: 'nonsense' }]) {
    const answer = await enroll(token, { ...bad, redirect_uris: ['https://production-01.example.com/x'] });
    expect([answer.status, answer.body]).toEqual([
      422,
      {
        error: 'Validation failed',
        details: expect.objectContaining({ [Object.keys(bad)[0]!]: expect.any(String) }),
      },
    ]);
  }
});

test.for([
  ['another host', undefined, 'https://evil.example.com/callback'],
  ['a host that only starts alike', undefined, 'https://production-01.example.com.evil.test/'],
  ['another scheme', undefined, 'http://production-01.example.com/callback'],
  ['another port', undefined, 'https://production-01.example.com:8443/callback'],
  ['a path that only starts alike', 'https://node.example.com/cloud', 'https://node.example.com/cloudy'],
  ['a path that climbs out', 'https://node.example.com/cloud', 'https://node.example.com/cloud/../other'],
  ['credentials in front of the host', undefined, 'https://user:word@production-01.example.com/callback'],
  ['a fragment', undefined, 'https://production-01.example.com/callback#part'],
] as const)('a redirect URI with %s is refused', async ([, base_url, uri]) => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken();
  const answer = await enroll(token, { ...(base_url ? { base_url } : {}), redirect_uris: [uri] });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: { 'redirect_uris.0': expect.stringMatching(/^Redirect URI must /) },
    },
  ]);
  expect(await instancesOf(tenant)).toEqual([]);
});

test.for([
  [undefined, 'https://production-01.example.com/'],
  ['https://node.example.com/cloud', 'https://node.example.com/cloud'],
  ['https://node.example.com/cloud/', 'https://node.example.com/cloud/callback?from=panel'],
  ['http://127.0.0.1:9000', 'http://127.0.0.1:9000/callback'],
] as const)('under the base URL %s the redirect URI %s is taken', async ([base_url, uri]) => {
  const token = await (await panel.world.tenant()).enrollmentToken();
  const answer = await enroll(token, { ...(base_url ? { base_url } : {}), redirect_uris: [uri] });
  expect(answer.status).toBe(201);
});

test.for([
  [' Node-7.Example.COM. ', undefined, 'node-7.example.com', 'https://node-7.example.com'],
  ['bücher.example', undefined, 'xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
  ['rack_7.lan', ' https://node.example.:8443/os ', 'rack_7.lan', 'https://node.example:8443/os'],
] as const)(
  'the host name "%s" with the base URL %s is taken',
  async ([hostname, base_url, name, address]) => {
    const tenant = await panel.world.tenant();
    const redirect = `${(base_url ?? `https://${hostname.trim()}`).trim()}/callback`;
    const answer = await enroll(await tenant.enrollmentToken(), {
      hostname,
      redirect_uris: [` ${redirect} `],
      ...(base_url === undefined ? {} : { base_url }),
    });
    expect([answer.status, answer.body['warnings']]).toEqual([201, undefined]);
    expect(await instancesOf(tenant)).toMatchObject([
      // As the node will send it at sign-in, where it is compared character by character.
      { hostname: name, base_url: address, redirect_uris: [redirect] },
    ]);
  },
);

test('a host name with an underscore is refused where nothing tells how browsers get there', async () => {
  const token = await (await panel.world.tenant()).enrollmentToken();
  const answer = await enroll(token, { hostname: 'rack_7.lan' });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        hostname: 'Hostname has an underscore, which browsers cannot look up: tell the base URL too',
      },
    },
  ]);
});

test('a node whose redirect URI sign-in will refuse is told when it enrolls', async () => {
  const token = await (await panel.world.tenant()).enrollmentToken();
  const base = 'http://192.168.1.7:8080';
  const answer = await enroll(token, { base_url: base, redirect_uris: [`${base}/a`, `${base}/b`] });
  const message =
    'Sign-in will refuse this redirect URI: it must be https, or lead to localhost, 127.0.0.1 or [::1]';
  expect([answer.status, answer.body['warnings']]).toEqual([
    201,
    [
      { field: 'redirect_uris.0', message },
      { field: 'redirect_uris.1', message },
    ],
  ]);
});
