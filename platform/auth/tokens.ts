import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { decodeProtectedHeader, errors, jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';

import type { Clock } from '../clock.js';
import { ApiError } from '../errors.js';
import type { DerivedKey, Keyring } from '../secrets/keyring.js';
import { roles, type Role, type Viewer } from '../viewer.js';

/** The `typ` header of each kind of token (RFC 8725, section 3.11: explicit typing keeps one from passing as another). */
export const tokenTypes = {
  user: 'at+jwt',
  node: 'agent+jwt',
  service: 'svc+jwt',
  apiKey: 'key+jwt',
  delegate: 'dlg+jwt',
} as const;

/** What the panel's own tokens are for; OAuth assertions name the node instead and are refused here. */
export const panelAudience = 'quazzar-panel';

type VerificationKey = CryptoKey | KeyObject;

/** Finds the public key with this `kid`, or undefined. */
export type KeySource = (kid: string) => Promise<VerificationKey | undefined>;

/** Says whether a token that verifies was withdrawn since: a revoked session, an older credential, a suspended tenant. */
export interface Revocations {
  reasonFor(viewer: Viewer): string | undefined;
  isSuspended(tenantId: string): boolean;
  isGrantEnded(grantId: string): boolean;
}

export interface TokenVerifierOptions {
  issuer: string;
  keyring: Keyring;
  /** Public keys of identity's JWKS. */
  userKeys: KeySource;
  clock: Clock;
  revocations?: Revocations;
}

const maxCached = 100_000;

// A node that was away when its credential ended may still beat, and is given a new one.
const nodeGraceSeconds = 7 * 24 * 60 * 60;
// API keys live for at most a year.
const longestKeySeconds = 366 * 24 * 60 * 60;

/** Turns an `Authorization` header into a Viewer. Verified tokens are remembered by hash until they end. */
export class TokenVerifier {
  private readonly verified = new LRUCache<string, Viewer>({ max: maxCached });
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

  /**
   * Throws UNAUTHENTICATED with reason TOKEN_MALFORMED, TOKEN_EXPIRED, TOKEN_INVALID or TOKEN_REVOKED. For a
   * subscription that stands, the token that an API key was exchanged for counts until the key itself ends.
   */
  async verify(authorization: string, { isStanding = false } = {}): Promise<Viewer> {
    const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization.trim())?.[1];
    if (!token) throw refused('TOKEN_MALFORMED', 'The Authorization header must be "Bearer <token>"');
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.verified.get(hash);
    const viewer = known ?? (await this.check(token, isStanding));
    this.refuseEndedGrant(viewer);
    const endsAt = isStanding && viewer.kind === 'api-key' ? viewer.keyExpiresAt : viewer.expiresAt;
    if (endsAt * 1000 <= this.options.clock.now().getTime()) {
      this.verified.delete(hash);
      throw refused('TOKEN_EXPIRED', 'The token has expired');
    }
    const revoked = this.options.revocations?.reasonFor(viewer);
    if (revoked) throw refused('TOKEN_REVOKED', revoked);
    if (!known) this.verified.set(hash, viewer);
    return viewer;
  }

  /** Not UNAUTHENTICATED: it is known who they are, and signing in again would not help. */
  private refuseEndedGrant(viewer: Viewer): void {
    if (viewer.kind !== 'delegate') return;
    const isOver = viewer.grantExpiresAt * 1000 <= this.options.clock.now().getTime();
    if (!isOver && !this.options.revocations?.isGrantEnded(viewer.grantId)) return;
    throw new ApiError('FORBIDDEN', 'The delegated access has ended', { reason: 'GRANT_ENDED' });
  }

  private async check(token: string, isStanding: boolean): Promise<Viewer> {
    try {
      const header = decodeProtectedHeader(token);
      const key = await this.keyFor(header.typ, header.kid);
      if (!key) throw refused('TOKEN_INVALID', 'The token is not one of this panel');
      const { payload } = await jwtVerify(token, key, {
        issuer: this.options.issuer,
        audience: panelAudience,
        algorithms: ['EdDSA', 'ES256'],
        typ: header.typ,
        clockTolerance: graceSeconds(header.typ, isStanding),
        currentDate: this.options.clock.now(),
        requiredClaims: ['exp', 'sub', 'tenant'],
      });
      return toViewer(header.typ, payload);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (error instanceof errors.JWTExpired) throw refused('TOKEN_EXPIRED', 'The token has expired');
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw refused('TOKEN_INVALID', 'The token is not valid', error);
      }
      throw error;
    }
  }

  private async keyFor(typ?: string, kid?: string): Promise<VerificationKey | undefined> {
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

function refused(reason: string, message: string, cause?: unknown): ApiError {
  return new ApiError('UNAUTHENTICATED', message, { reason, cause });
}

function toViewer(typ: string | undefined, claims: JWTPayload): Viewer {
  const tenantId = String(claims['tenant']);
  const subject = String(claims.sub);
  const expiresAt = Number(claims.exp);
  const permissions = Array.isArray(claims['permissions']) ? claims['permissions'].map(String) : undefined;
  switch (typ) {
    case tokenTypes.user: {
      const role = roles.find((known) => known === claims['role']);
      if (!role) throw refused('TOKEN_INVALID', 'The token names no known role');
      return {
        kind: 'user',
        tenantId,
        expiresAt,
        userId: subject,
        sessionId: String(claims['sid']),
        role,
        isAdministrator: claims['admin'] === true,
        ...(permissions ? { permissions } : {}),
      };
    }
    case tokenTypes.node:
      return {
        kind: 'node',
        tenantId,
        expiresAt: expiresAt + nodeGraceSeconds,
        credentialExpiresAt: expiresAt,
        instanceId: subject,
        generation: Number(claims['gen']),
      };
    case tokenTypes.service:
      return {
        kind: 'service',
        tenantId,
        expiresAt,
        service: subject.replace(/^svc:/, ''),
        permissions: permissions ?? [],
      };
    case tokenTypes.apiKey:
      return {
        kind: 'api-key',
        tenantId,
        expiresAt,
        keyId: subject,
        permissions: permissions ?? [],
        keyExpiresAt: Number(claims['key_exp']),
      };
    case tokenTypes.delegate: {
      const role = roles.find((known) => known === claims['role']);
      const actor = claims['act'] as { sub?: unknown; tenant?: unknown } | undefined;
      if (!role || !actor) throw refused('TOKEN_INVALID', 'The token names no actor');
      return {
        kind: 'delegate',
        tenantId,
        expiresAt,
        actorId: String(actor.sub),
        actorTenantId: String(actor.tenant),
        sessionId: String(claims['sid']),
        grantId: String(claims['grant']),
        role,
        grantExpiresAt: Number(claims['grant_exp']),
      };
    }
    case undefined:
    default:
      throw refused('TOKEN_INVALID', 'The token is of an unknown kind');
  }
}

export interface SigningKey {
  kid: string;
  alg: 'EdDSA' | 'ES256';
  privateKey: VerificationKey;
}

export interface UserClaims {
  userId: string;
  tenantId: string;
  sessionId: string;
  role: Role;
  isAdministrator: boolean;
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
