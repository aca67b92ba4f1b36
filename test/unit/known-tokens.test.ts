import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

import { expect, test } from 'vitest';

import { signToken, TokenVerifier } from '#platform/auth/tokens.js';
import { Keyring } from '#platform/secrets/keyring.js';

const issuer = 'https://panel.test';

function world() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const at = { time: new Date('2026-01-01T00:00:00Z').getTime() };
  const keys = new Map<string, KeyObject>([['k1', publicKey]]);
  const revoked = new Set<string>();
  const verifier = new TokenVerifier({
    issuer,
    keyring: Keyring.parse(randomBytes(32).toString('base64')),
    userKeys: (kid) => keys.get(kid),
    clock: { now: () => new Date(at.time), delay: async () => undefined },
    revocations: {
      reasonFor: (viewer) => (revoked.has(viewer.tenantId) ? 'The session has ended' : undefined),
      isSuspended: () => false,
      isGrantEnded: () => false,
    },
  });
  const bearer = async (tenant: string) => {
    const claims = { sub: 'usr_1', tenant, sid: 'ses_1', role: 'viewer', admin: false };
    const key = { kid: 'k1', alg: 'EdDSA', privateKey } as const;
    const options = { issuer, now: new Date(at.time), lifetimeSeconds: 900 };
    return `Bearer ${await signToken('user', key, claims, options)}`;
  };
  return { verifier, keys, revoked, at, bearer };
}

test('a token is known once it has verified, as whom it verified', async () => {
  const { verifier, bearer } = world();
  const [mine, theirs] = [await bearer('org_1'), await bearer('org_2')];
  expect(verifier.known(mine)).toBeUndefined();
  const viewer = await verifier.verify(mine);
  expect(viewer).toMatchObject({ kind: 'user', tenantId: 'org_1' });
  expect(verifier.known(mine)).toBe(viewer);
  expect(verifier.known(theirs)).toBeUndefined();
  expect(verifier.known(`${mine.slice(0, -2)}xx`)).toBeUndefined();
  expect(verifier.known('')).toBeUndefined();
});

test.each<[string, (world_: ReturnType<typeof world>) => void, string]>([
  ['has ended', ({ at }) => (at.time += 900_000), 'TOKEN_EXPIRED'],
  ['was revoked', ({ revoked }) => revoked.add('org_1'), 'TOKEN_REVOKED'],
  ['was signed with a key that is forgotten', ({ keys }) => keys.clear(), 'TOKEN_INVALID'],
])('a token that %s is known no more, and refused', async (_, happens, reason) => {
  const all = world();
  const { verifier, bearer } = all;
  const mine = await bearer('org_1');
  await verifier.verify(mine);
  happens(all);
  expect(verifier.known(mine)).toBeUndefined();
  await expect(verifier.verify(mine)).rejects.toMatchObject({ extensions: { reason } });
  expect(verifier.known(mine)).toBeUndefined();
});

test('a token that was refused is not known', async () => {
  const { verifier, bearer, revoked } = world();
  revoked.add('org_1');
  const mine = await bearer('org_1');
  await expect(verifier.verify(mine)).rejects.toMatchObject({ extensions: { reason: 'TOKEN_REVOKED' } });
  expect(verifier.known(mine)).toBeUndefined();
  revoked.clear();
  expect(verifier.known(mine)).toBeUndefined();
});

test('a token whose key has to be looked for is not known meanwhile, and nobody hears when that fails', async () => {
  const { verifier, bearer, keys } = world();
  const mine = await bearer('org_1');
  await verifier.verify(mine);
  keys.get = () => Promise.reject(new Error('the database is away')) as never;
  expect(verifier.known(mine)).toBeUndefined();
  await expect(verifier.verify(mine)).rejects.toThrow('the database is away');
});
