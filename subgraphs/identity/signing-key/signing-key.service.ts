import { importJWK, type CryptoKey, type JSONWebKeySet, type JWK } from 'jose';

import type { SigningKey } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import type { Logger } from '#platform/logger.js';
import { untilRound } from '#platform/rounds.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { generateSigningKey } from './generate-signing-key.js';
import { StoredSigningKey } from './signing-key.entity.js';

/**
 * How soon every process knows of a new key and, what is more urgent, that a leaked one is forgotten; the pace at which
 * revocations are read as well.
 */
export const rereadEveryMs = 5_000;

// An unknown kid in a token makes the keys be read again, but not more often than this: a flood of forged kids must
// not become a flood of queries.
const rereadMs = 1_000;

interface KnownKey extends SigningKey {
  stored: StoredSigningKey;
  publicKey: CryptoKey;
}

/** The keys that sign user tokens, and the public half that verifies them (RFC 7517). */
export class SigningKeyService {
  /** Newest first. */
  private known: KnownKey[] = [];
  private readAt = -Infinity;
  private readonly stopping = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Reads the keys, making the first one when there is none; processes that start together make just one. */
  async start(): Promise<void> {
    await this.database.anonymous().transactional(async (em) => {
      await em.execute(`select pg_advisory_xact_lock(hashtext('identity signing key'))`);
      if ((await em.count(StoredSigningKey)) > 0) return;
      const now = this.clock.now();
      em.persist(await generateSigningKey(this.keyring, { now, signsFrom: now }));
    });
    await this.read();
    void this.keepReading();
  }

  stop(): void {
    this.stopping.abort();
  }

  /** The key that new tokens are signed with: the newest whose time has come. */
  signingKey(): SigningKey {
    const now = this.clock.now();
    const live = this.live();
    // Without one (after a leak, by a clock that is behind; in a database that never had a key) the next one must do.
    const key = live.find(({ stored }) => stored.signsFrom <= now) ?? live.at(-1);
    if (!key) throw new Error('signing keys were not read yet');
    return key;
  }

  /** What may be in use: those that sign, those that will, and those whose last tokens have not ended. */
  publicKeys(): JSONWebKeySet {
    return { keys: this.live().map(({ stored }) => stored.publicJwk) };
  }

  /** Without a promise, unless it has to look whether another process has added the key. */
  find(kid: string): CryptoKey | undefined | Promise<CryptoKey | undefined> {
    // Asked for each request more than once.
    const key = this.inUse(kid);
    if (key || this.clock.now().getTime() - this.readAt < rereadMs) return key;
    return this.read().then(() => this.inUse(kid));
  }

  private inUse(kid: string): CryptoKey | undefined {
    const key = this.known.find((known) => known.kid === kid);
    return key && isLive(key, this.clock.now()) ? key.publicKey : undefined;
  }

  private live(): KnownKey[] {
    const now = this.clock.now();
    return this.known.filter((key) => isLive(key, now));
  }

  /** Rotation happens in another process; this is how the ones that run learn of it. */
  private async keepReading(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await untilRound(this.clock, rereadEveryMs, signal);
        if (!signal.aborted && (await this.areOthers())) await this.read();
      } catch (error) {
        if (!signal.aborted) this.logger.error({ err: error }, 'reading the signing keys failed');
      }
    }
  }

  /** Whether there are other keys by now than those that were read. */
  private async areOthers(): Promise<boolean> {
    const keys = await this.database
      .questions()
      .execute<Pick<StoredSigningKey, 'kid' | 'retiresAt'>[]>(
        'select kid, retires_at as "retiresAt" from identity.signing_key',
      );
    const isKnown = (key: (typeof keys)[number]) =>
      this.known.some(({ kid, stored }) => kid === key.kid && same(stored, key));
    return keys.length !== this.known.length || !keys.every(isKnown);
  }

  private async read(): Promise<void> {
    this.readAt = this.clock.now().getTime();
    const stored = await this.database
      .anonymous()
      .find(StoredSigningKey, {}, { orderBy: { signsFrom: 'desc', kid: 'desc' } });
    this.known = await Promise.all(
      stored.map(
        async (key) =>
          this.known.find(({ kid, stored: old }) => kid === key.kid && same(old, key)) ?? this.open(key),
      ),
    );
  }

  private async open(stored: StoredSigningKey): Promise<KnownKey> {
    const { kid, alg, publicJwk, sealedPrivateKey } = stored;
    const privateJwk = JSON.parse(this.keyring.open(sealedPrivateKey, kid)) as JWK;
    return { kid, alg, stored, publicKey: await asKey(publicJwk), privateKey: await asKey(privateJwk) };
  }
}

type Retiring = Pick<StoredSigningKey, 'retiresAt'>;

function same(a: Retiring, b: Retiring): boolean {
  return a.retiresAt?.getTime() === b.retiresAt?.getTime();
}

async function asKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256');
  if (key instanceof Uint8Array) throw new Error('signing keys are asymmetric');
  return key;
}

function isLive({ stored: { retiresAt } }: KnownKey, now: Date): boolean {
  return retiresAt === null || retiresAt > now;
}
