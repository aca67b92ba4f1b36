import { hash as digest, type KeyObject } from 'node:crypto';

import { decodeProtectedHeader, errors, jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';

import type { Clock } from '../clock.js';
import { ApiError } from '../errors.js';
import type { DerivedKey, Keyring } from '../secrets/keyring.js';
import type { Viewer } from '../viewer.js';
import { longestSeconds, nodeGraceSeconds, refused, tokenTypes, toViewer } from './claims.js';

export { tokenTypes };

/** What the panel's own tokens are for; OAuth assertions name the node instead and are refused here. */
export const panelAudience = 'quazzar-panel';

type VerificationKey = CryptoKey | KeyObject;

/** Finds the public key with this `kid`, or undefined. Asked at every request, so what is in memory comes without a promise. */
export type KeySource = (kid: string) => VerificationKey | undefined | Promise<VerificationKey | undefined>;

/** Says whether a token that verifies was withdrawn since: a revoked session, an older credential, a suspended tenant. */
export interface Revocations {
  reasonFor(viewer: Viewer): string | undefined;
  isSuspended(tenantId: string): boolean;
  /** For this user of the provider: a grant may go on for others. */
  isGrantEnded(grantId: string, userId: string): boolean;
  /** Of sessions that ended long ago it may say no: none of their access tokens is good any more. */
  isSessionEnded(sessionId: string): boolean;
}

export interface TokenVerifierOptions {
  /** The panel's address. Of nodes it is not asked: theirs live for a month, and the panel may get another name meanwhile. */
  issuer: string;
  keyring: Keyring;
  /** Public keys of identity's JWKS. */
  userKeys: KeySource;
  clock: Clock;
  revocations?: Revocations;
}

const expired = 'TOKEN_EXPIRED';
const maxCached = 100_000;

// By how much the clock of the process that signed may be ahead.
const clockSkewSeconds = 60;
// API keys live for at most a year.
const longestKeySeconds = 366 * 24 * 60 * 60;

/** What an `Authorization` header says. */
interface ReadToken {
  authorization: string;
  token: string;
  hash: string;
}

/** A token that verified, and the key by which it did. */
interface Verified {
  viewer: Viewer;
  typ: string | undefined;
  kid: string | undefined;
}

/**
 * Turns an `Authorization` header into a Viewer. Verified tokens are remembered by hash until they end, or until their
 * key is forgotten: a key that leaked takes all its tokens with it.
 */
export class TokenVerifier {
  // Not `max`, for which room is made at once.
  private readonly verified = new LRUCache<string, Verified>({
    maxSize: maxCached,
    sizeCalculation: () => 1,
  });
  /** Whoever makes a request is looked at more than once, mostly before the next one comes. Others are kept by hash only. */
  private latest: ReadToken | undefined;
  private readonly derived: ReadonlyMap<string, DerivedKey>;

  constructor(private readonly options: TokenVerifierOptions) {
    const { keyring } = options;
    this.derived = new Map(
      [...keyring.derive('agent'), ...keyring.derive('service')].map((key) => [key.kid, key]),
    );
  }

  /** Whether nobody may act in the tenant, whatever secret they hold. */
  isSuspended(tenantId: string): boolean {
    return this.options.revocations?.isSuspended(tenantId) ?? false;
  }

  /** Whether a client has taken back what it had granted to its provider, or to this user of it. */
  isGrantEnded(grantId: string, userId: string): boolean {
    return this.options.revocations?.isGrantEnded(grantId, userId) ?? false;
  }

  /** Whether a session that was going on minutes ago has ended. */
  isSessionEnded(sessionId: string): boolean {
    return this.options.revocations?.isSessionEnded(sessionId) ?? false;
  }

  /** Whether whom a token names has lost their access: asked by what goes on for longer than the token itself. */
  hasEnded(viewer: Viewer): boolean {
    return this.endedGrant(viewer) !== undefined || this.options.revocations?.reasonFor(viewer) !== undefined;
  }

  /**
   * Throws UNAUTHENTICATED with reason TOKEN_MALFORMED, TOKEN_EXPIRED, TOKEN_INVALID or TOKEN_REVOKED, and FORBIDDEN for
   * a grant that has ended and for nodes of a suspended tenant. For a subscription that stands, the token that an API
   * key was exchanged for counts until the key itself ends.
   */
  async verify(authorization: string, { isStanding = false } = {}): Promise<Viewer> {
    const read = this.read(authorization);
    if (!read) throw refused('TOKEN_MALFORMED', 'The Authorization header must be "Bearer <token>"');
    const { token, hash } = read;
    const known = this.verified.get(hash);
    if (known) return this.verifyAgain(known, hash, this.keyFor(known.typ, known.kid), isStanding);
    const verified = await this.check(token, isStanding);
    const objection = this.objectionTo(verified.viewer, isStanding);
    if (objection) throw objection;
    this.verified.set(hash, verified);
    return verified.viewer;
  }

  /** `verify`, without a promise where the token verified before and counts as it did then, as most do. Throws nothing. */
  viewerOf(authorization: string): Viewer | Promise<Viewer> {
    const read = this.read(authorization);
    const known = read && this.verified.get(read.hash);
    if (!known) return this.verify(authorization);
    // Asked once: whoever asks again while keys are read may be answered with those of before.
    const key = this.keyFor(known.typ, known.kid);
    const counts = key && !(key instanceof Promise) && !this.objectionTo(known.viewer, false);
    return counts ? known.viewer : this.verifyAgain(known, read.hash, key, false);
  }

  private async verifyAgain(
    { viewer }: Verified,
    hash: string,
    key: ReturnType<KeySource>,
    isStanding: boolean,
  ): Promise<Viewer> {
    if (!(await key)) {
      this.verified.delete(hash);
      throw unknownKey();
    }
    const objection = this.objectionTo(viewer, isStanding);
    if (!objection) return viewer;
    if (objection.extensions.reason === expired) this.verified.delete(hash);
    throw objection;
  }

  /** Why whom a token names may not act any more. */
  private objectionTo(viewer: Viewer, isStanding: boolean): ApiError | undefined {
    const ended = this.endedGrant(viewer);
    if (ended) return ended;
    const endsAt = isStanding && viewer.kind === 'api-key' ? viewer.keyExpiresAt : viewer.expiresAt;
    if (endsAt * 1000 <= this.options.clock.now().getTime()) return refused(expired, 'The token has expired');
    // To a node 401 means that its credential is over; the one that it has counts again when the tenant is restored.
    if (viewer.kind === 'node' && this.isSuspended(viewer.tenantId)) return suspendedTenant();
    const revoked = this.options.revocations?.reasonFor(viewer);
    return revoked ? refused('TOKEN_REVOKED', revoked) : undefined;
  }

  private read(authorization: string): ReadToken | undefined {
    if (this.latest?.authorization === authorization) return this.latest;
    const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization.trim())?.[1];
    if (!token) return undefined;
    this.latest = { authorization, token, hash: digest('sha256', token, 'base64') };
    return this.latest;
  }

  /** Not UNAUTHENTICATED: it is known who they are, and signing in again would not help. */
  private endedGrant(viewer: Viewer): ApiError | undefined {
    if (viewer.kind !== 'delegate') return undefined;
    const isOver = viewer.grantExpiresAt * 1000 <= this.options.clock.now().getTime();
    if (!isOver && !this.isGrantEnded(viewer.grantId, viewer.actorId)) return undefined;
    return new ApiError('FORBIDDEN', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
  }

  private async check(token: string, isStanding: boolean): Promise<Verified> {
    try {
      const { typ, kid } = decodeProtectedHeader(token);
      const key = await this.keyFor(typ, kid);
      if (!key) throw unknownKey();
      const { payload } = await jwtVerify(token, key, {
        // A node's key is derived from SECRETS_KEY, and its row has to be there with the generation that it names.
        ...(typ === tokenTypes.node ? {} : { issuer: this.options.issuer }),
        audience: panelAudience,
        algorithms: ['EdDSA', 'ES256'],
        typ,
        clockTolerance: graceSeconds(typ, isStanding),
        currentDate: this.options.clock.now(),
        requiredClaims: ['exp', 'sub', 'tenant'],
      });
      this.refuseLongLived(typ, payload);
      return { viewer: toViewer(typ, payload), typ, kid };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (error instanceof errors.JWTExpired) throw refused(expired, 'The token has expired');
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw refused('TOKEN_INVALID', 'The token is not valid', error);
      }
      throw error;
    }
  }

  private refuseLongLived(typ: string | undefined, { iat, exp }: JWTPayload): void {
    const longest = typ === undefined ? undefined : longestSeconds[typ];
    if (longest === undefined) return;
    const now = Math.floor(this.options.clock.now().getTime() / 1000);
    // A moment of signing that is yet to come is no excuse for a late end.
    const from = Math.min(iat ?? -Infinity, now + clockSkewSeconds);
    if (Number(exp) - from > longest) throw refused('TOKEN_INVALID', 'The token claims to live too long');
  }

  private keyFor(typ?: string, kid?: string): ReturnType<KeySource> {
    if (!kid) return undefined;
    // A derived key signs only the kind of token it was derived for.
    if (isOfIdentity(typ)) return this.options.userKeys(kid);
    if (typ === tokenTypes.node && kid.startsWith('agent-')) return this.derived.get(kid)?.publicKey;
    if (typ === tokenTypes.service && kid.startsWith('service-')) return this.derived.get(kid)?.publicKey;
    return undefined;
  }
}

function graceSeconds(typ: string | undefined, isStanding: boolean): number {
  if (typ === tokenTypes.node) return nodeGraceSeconds;
  return typ === tokenTypes.apiKey && isStanding ? longestKeySeconds : 0;
}

/** Whether identity signs this kind of token, with the keys of its JWKS. */
function isOfIdentity(typ?: string): boolean {
  return typ === tokenTypes.user || typ === tokenTypes.apiKey || typ === tokenTypes.delegate;
}

function suspendedTenant(): ApiError {
  return new ApiError('FORBIDDEN', 'The tenant is suspended', { reason: 'TENANT_SUSPENDED' });
}

function unknownKey(): ApiError {
  return refused('TOKEN_INVALID', 'The token is not one of this panel');
}

export interface SigningKey {
  kid: string;
  alg: 'EdDSA' | 'ES256';
  privateKey: VerificationKey;
}

/** Signs a JWT of one of the panel's own kinds. `lifetimeSeconds` counts from `now`. */
export async function signToken(
  kind: keyof typeof tokenTypes,
  key: SigningKey,
  claims: JWTPayload & { sub: string; tenant: string },
  options: { issuer: string; now: Date; lifetimeSeconds: number },
): Promise<string> {
  const issuedAt = Math.floor(options.now.getTime() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: tokenTypes[kind] })
    .setIssuer(options.issuer)
    .setAudience(panelAudience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + options.lifetimeSeconds)
    .sign(key.privateKey);
}
