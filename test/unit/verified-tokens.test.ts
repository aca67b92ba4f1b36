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
      isSessionEnded: () => false,
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

test('a token that verified before needs no promise, whoever it names', async () => {
  const { verifier, bearer } = world();
  const [mine, theirs] = [await bearer('org_1'), await bearer('org_2')];
  const first = verifier.viewerOf(mine);
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toMatchObject({ kind: 'user', tenantId: 'org_1' });
  expect(verifier.viewerOf(mine)).toBe(await first);
  expect(await verifier.viewerOf(theirs)).toMatchObject({ tenantId: 'org_2' });
  expect(verifier.viewerOf(mine)).toBe(await first);
});

test.each<[string, (words: string) => string, string]>([
  ['was changed', (words) => `${words.slice(0, -3)}xyz`, 'TOKEN_INVALID'],
  ['is none', () => 'Bearer of news', 'TOKEN_MALFORMED'],
])('a token that %s is refused, never thrown', async (_, change, reason) => {
  const { verifier, bearer } = world();
  const mine = await bearer('org_1');
  await verifier.verify(mine);
  await expect(verifier.viewerOf(change(mine))).rejects.toMatchObject({ extensions: { reason } });
});

test.each<[string, (world_: ReturnType<typeof world>) => void, string]>([
  ['has ended', ({ at }) => (at.time += 900_000), 'TOKEN_EXPIRED'],
  ['was revoked', ({ revoked }) => revoked.add('org_1'), 'TOKEN_REVOKED'],
  ['was signed with a key that is forgotten', ({ keys }) => keys.clear(), 'TOKEN_INVALID'],
])('a token that %s is refused, however often it counted before', async (_, happens, reason) => {
  const all = world();
  const { verifier, bearer } = all;
  const mine = await bearer('org_1');
  await verifier.verify(mine);
  expect(verifier.viewerOf(mine)).toMatchObject({ tenantId: 'org_1' });
  happens(all);
  for (const _again of [1, 2])
    await expect(verifier.viewerOf(mine)).rejects.toMatchObject({ extensions: { reason } });
  await expect(verifier.verify(mine)).rejects.toMatchObject({ extensions: { reason } });
});

test('where keys are being read, what is found counts for who asked for it', async () => {
  const { verifier, bearer, keys } = world();
  const mine = await bearer('org_1');
  await verifier.verify(mine);
  const known = keys.get('k1');
  // As keys of another process are: only the first one to ask waits for a read that is due.
  let asked = 0;
  keys.get = () => (++asked === 1 ? Promise.resolve(undefined) : known) as never;
  await expect(verifier.viewerOf(mine)).rejects.toMatchObject({ extensions: { reason: 'TOKEN_INVALID' } });
  expect(asked).toBe(1);
  keys.get = () => Promise.reject(new Error('the database is away')) as never;
  await expect(verifier.viewerOf(await bearer('org_1'))).rejects.toThrow('the database is away');
});
