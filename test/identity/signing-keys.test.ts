import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  jwtVerify,
  SignJWT,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { rotateSigningKey, type Rotation } from '#subgraphs/identity/signing-key/rotate-signing-key.job.js';
import { StoredSigningKey } from '#subgraphs/identity/signing-key/signing-key.entity.js';

import { modes, startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { codeFor, enrollClient, exchange } from './support/oauth.js';

const minute = 60_000;

/** What `npm run rotate-keys` does, in another process than the panel's. */
async function rotate(panel: TestPanel, compromised = false): Promise<Rotation> {
  const database = await Database.open({
    area: 'identity',
    url: panel.database.url,
    entities: [StoredSigningKey],
    poolSize: 1,
    logger: silentLogger,
  });
  try {
    const keyring = Keyring.parse(testSecretsKey);
    return await rotateSigningKey({ database, keyring, clock: panel.clock, compromised });
  } finally {
    await database.close();
  }
}

async function published(panel: TestPanel): Promise<string[]> {
  const { body } = await panel.world.rest<JSONWebKeySet>('/.well-known/jwks.json');
  return body.keys.map(({ kid }) => String(kid));
}

async function freshToken(panel: TestPanel, tenant: Tenant): Promise<string> {
  return (await panel.world.login(tenant.account.email, tenant.account.password)).body.access_token;
}

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const me = async (tenant: Tenant, token: string) => (await tenant.rest('/api/auth/me', { token })).status;

test('a rotation publishes first, signs later, keeps what was signed valid to its end, and restarts nothing', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const old = kidOf(tenant.token);
  const { kid } = await rotate(panel);

  // Published within a minute, but not signing yet: who caches the keys for five minutes has it in time.
  await panel.clock.advance(minute);
  await expect.poll(() => published(panel)).toEqual([kid, old]);
  const between = await freshToken(panel, tenant);
  expect(kidOf(between)).toBe(old);

  await panel.clock.advance(9 * minute);
  const after = await freshToken(panel, tenant);
  expect(kidOf(after)).toBe(kid);
  expect([await me(tenant, tenant.token), await me(tenant, between), await me(tenant, after)]).toEqual([
    200, 200, 200,
  ]);

  // An assertion for a node verifies against what is published, and names the new key.
  const client = await enrollClient(panel, tenant);
  const fresh = Object.assign(Object.create(Object.getPrototypeOf(tenant) as object) as Tenant, tenant, {
    token: after,
  });
  const { id_token: assertion } = (await exchange(panel, await codeFor(fresh, client))).body;
  const { body: keys } = await panel.world.rest<JSONWebKeySet>('/.well-known/jwks.json');
  const verified = await jwtVerify(assertion, createLocalJWKSet(keys), { currentDate: panel.clock.now() });
  expect(verified.protectedHeader.kid).toBe(kid);

  // Its last token has ended long before the old key goes.
  await panel.clock.advance(6 * minute);
  expect(await me(tenant, tenant.token)).toBe(401);
  expect(await published(panel)).toEqual([kid, old]);
  await panel.clock.advance(60 * minute);
  await expect.poll(() => published(panel)).toEqual([kid]);
});

test('rotating twice in a row keeps all keys that may be in use', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const first = kidOf(tenant.token);
  const second = (await rotate(panel)).kid;
  await panel.clock.advance(minute);
  const third = (await rotate(panel)).kid;
  await panel.clock.advance(minute);
  // A panel that was at reading them when time moved on reads them again a minute after that.
  await expect
    .poll(async () => {
      await panel.clock.advance(1_000);
      return published(panel);
    })
    .toEqual([third, second, first]);
  expect(await me(tenant, await freshToken(panel, tenant))).toBe(200);
});

/** Makes a token of the tenant's claims, and others instead of them, as whoever stole the newest key can. */
async function forge(panel: TestPanel, tenant: Tenant, more: Record<string, unknown> = {}): Promise<string> {
  const [row] = await panel.sql<{ kid: string; sealed_private_key: string }>(
    'select kid, sealed_private_key from identity.signing_key order by signs_from desc limit 1',
  );
  if (!row) throw new Error('there is no key');
  const stolen = Keyring.parse(testSecretsKey).open(row.sealed_private_key, row.kid);
  return new SignJWT({ ...decodeJwt(tenant.token), sid: 'ses_forged', ...more })
    .setProtectedHeader({ alg: 'ES256', kid: row.kid, typ: 'at+jwt' })
    .sign(await importJWK(JSON.parse(stolen) as JWK, 'ES256'));
}

test.each(modes)(
  'a leaked key takes the tokens that were used already with it, %s, and refresh tokens give new ones',
  async (mode) => {
    await using panel = await startTestPanel({}, mode);
    const tenant = await panel.world.tenant();
    const forged = await forge(panel, tenant);
    const summary = async (token: string) => (await tenant.rest('/api/fleet/summary', { token })).status;
    const before = [await me(tenant, tenant.token), await me(tenant, forged), await summary(forged)];
    expect(before).toEqual([200, 200, 200]);

    const { kid } = await rotate(panel, true);
    // Identity reads its keys each five seconds, and other processes ask it as often.
    await panel.clock.advance(5_000);
    await expect.poll(() => published(panel)).toEqual([kid]);
    await panel.clock.advance(5_000);
    const after = [await me(tenant, tenant.token), await me(tenant, forged), await summary(forged)];
    expect(after).toEqual([401, 401, 401]);

    const { body } = await panel.world.rest<{ access_token: string }>('/api/auth/refresh', {
      body: { refresh_token: tenant.refreshToken },
    });
    expect(kidOf(body.access_token)).toBe(kid);
    expect([await me(tenant, body.access_token), await summary(body.access_token)]).toEqual([200, 200]);
  },
);

test('a token that claims to live longer than the panel lets any live is refused, whatever signed it', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const now = Math.floor(panel.clock.now().getTime() / 1000);
  const year = 365 * 24 * 60 * 60;
  const claims = [
    { exp: now + 15 * 60 },
    { exp: now + 15 * 60 + 1 },
    { exp: now + year },
    { iat: now + year, exp: now + year + 60 },
    { iat: undefined },
  ];
  const statuses = [];
  for (const more of claims) statuses.push(await me(tenant, await forge(panel, tenant, more)));
  expect(statuses).toEqual([200, 401, 401, 401, 401]);
});

test('private keys are sealed where they are kept', async () => {
  await using panel = await startTestPanel();
  const [row] = await panel.sql<{ text: string }>('select k::text as text from identity.signing_key k');
  expect(row?.text).toMatch(/v1\.[0-9a-f]{8}\./);
  expect(row?.text).not.toContain('"d"');
  const { body } = await panel.world.rest<JSONWebKeySet>('/.well-known/jwks.json');
  expect(Object.keys(body.keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});
