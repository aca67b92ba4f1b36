import { exportJWK, generateKeyPair } from 'jose';

import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { StoredSigningKey } from './signing-key.entity.js';

/** A new ES256 key, its private half sealed. */
export async function generateSigningKey(
  keyring: Keyring,
  times: { now: Date; signsFrom: Date },
): Promise<StoredSigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = newId('signingKey');
  return Object.assign(new StoredSigningKey(), {
    kid,
    alg: 'ES256' as const,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
    sealedPrivateKey: keyring.seal(JSON.stringify(await exportJWK(privateKey)), kid),
    createdAt: times.now,
    signsFrom: times.signsFrom,
    retiresAt: null,
  });
}
