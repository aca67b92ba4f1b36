import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JSONWebKeySet, type JWK } from 'jose';

import type { SigningKey } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { StoredSigningKey } from './signing-key.entity.js';

// An unknown kid in a token makes the keys be read again, but not more often than this: a flood of forged kids must
// not become a flood of queries.
const rereadMs = 5_000;

/** The keys that sign user tokens, and the public half that verifies them (RFC 7517). */
export class SigningKeyService {
  private known = new Map<string, CryptoKey>();
  private jwks: JSONWebKeySet = { keys: [] };
  private current: SigningKey | undefined;
  private readAt = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  /** Reads the keys, making the first one when there is none; processes that start together make just one. */
  async start(): Promise<void> {
    await this.database.anonymous().transactional(async (em) => {
      await em.execute(`select pg_advisory_xact_lock(hashtext('identity signing key'))`);
      if ((await em.count(StoredSigningKey)) === 0) em.persist(await this.generate());
    });
    await this.read();
  }

  /** The key that new tokens are signed with. */
  signingKey(): SigningKey {
    if (!this.current) throw new Error('signing keys were not read yet');
    return this.current;
  }

  publicKeys(): JSONWebKeySet {
    return this.jwks;
  }

  async find(kid: string): Promise<CryptoKey | undefined> {
    const key = this.known.get(kid);
    if (key || this.clock.now().getTime() - this.readAt < rereadMs) return key;
    await this.read();
    return this.known.get(kid);
  }

  private async read(): Promise<void> {
    this.readAt = this.clock.now().getTime();
    const stored = await this.database
      .anonymous()
      .find(StoredSigningKey, {}, { orderBy: { createdAt: 'desc' } });
    this.known = new Map(
      await Promise.all(stored.map(async (key) => [key.kid, await asKey(key.publicJwk)] as const)),
    );
    this.jwks = { keys: stored.map((key) => key.publicJwk) };
    const newest = stored[0];
    if (!newest || newest.kid === this.current?.kid) return;
    const privateJwk = JSON.parse(this.keyring.open(newest.sealedPrivateKey, newest.kid)) as JWK;
    this.current = { kid: newest.kid, alg: newest.alg, privateKey: await asKey(privateJwk) };
  }

  private async generate(): Promise<StoredSigningKey> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const kid = newId('signingKey');
    return Object.assign(new StoredSigningKey(), {
      kid,
      alg: 'ES256' as const,
      publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
      sealedPrivateKey: this.keyring.seal(JSON.stringify(await exportJWK(privateKey)), kid),
      createdAt: this.clock.now(),
    });
  }
}

async function asKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256');
  if (key instanceof Uint8Array) throw new Error('signing keys are asymmetric');
  return key;
}
