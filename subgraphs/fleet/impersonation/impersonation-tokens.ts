import { randomUUID } from 'node:crypto';

import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

import type { DerivedKey, Keyring } from '#platform/secrets/keyring.js';

const lifetimeSeconds = 60;

/** Explicit typing keeps these from passing as any other of the panel's tokens (RFC 8725, 3.11). */
const tokenType = 'impersonation+jwt';
const purpose = 'impersonation';

/** What one of these tokens says: who is to be signed in, on which node, and who asked. */
export interface Impersonation {
  jti: string;
  tenantId: string;
  instanceId: string;
  /** Whose session it is to be. */
  userId: string;
  /** Who acts in it (RFC 8693, 4.1). */
  actorId: string;
  /** The session in which they asked; null in a token of the version before. */
  sessionId: string | null;
  reason: string | null;
  /** Of a provider's user: the grant of the node's tenant, and the tenant they belong to. */
  delegation: Delegated | null;
  /** In seconds; null without a grant, and in a token of the version before. */
  grantEndsAt: number | null;
  expiresAt: Date;
}

export interface Delegated {
  grant: string;
  actorTenant: string;
}

export type Checked = { claims: Impersonation; isExpired: boolean } | undefined;

const claimsShape = z.object({
  jti: z.string().min(1),
  tenant: z.string().min(1),
  aud: z.string().min(1),
  sub: z.string().min(1),
  act: z.object({ sub: z.string().min(1), tenant: z.string().optional() }),
  sid: z.string().optional(),
  grant: z.string().optional(),
  grant_exp: z.number().optional(),
  reason: z.string().optional(),
  exp: z.number(),
});

/** Signs and verifies what opens a session on one node, with a key that all processes derive from SECRETS_KEY. */
export class ImpersonationTokens {
  private readonly keys: ReadonlyMap<string, DerivedKey>;
  private readonly newest: DerivedKey;

  constructor(
    keyring: Keyring,
    private readonly issuer: string,
  ) {
    const keys = keyring.derive(purpose);
    [this.newest] = keys;
    this.keys = new Map(keys.map((key) => [key.kid, key]));
  }

  async issue(
    wanted: Omit<Impersonation, 'jti' | 'expiresAt'>,
    now: Date,
  ): Promise<{ token: string; jti: string; expiresAt: Date }> {
    const jti = randomUUID();
    const issuedAt = Math.floor(now.getTime() / 1000);
    const { tenantId, instanceId, userId, actorId, sessionId, reason, delegation, grantEndsAt } = wanted;
    const end = Math.min(issuedAt + lifetimeSeconds, grantEndsAt ?? Infinity);
    const claims = {
      tenant: tenantId,
      act: { sub: actorId, ...(delegation ? { tenant: delegation.actorTenant } : {}) },
      ...(sessionId === null ? {} : { sid: sessionId }),
      ...(delegation ? { grant: delegation.grant } : {}),
      ...(grantEndsAt === null ? {} : { grant_exp: grantEndsAt }),
      ...(reason === null ? {} : { reason }),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', kid: this.newest.kid, typ: tokenType })
      .setIssuer(this.issuer)
      .setAudience(instanceId)
      .setSubject(userId)
      .setJti(jti)
      .setIssuedAt(issuedAt)
      .setExpirationTime(end)
      .sign(this.newest.privateKey);
    return { token, jti, expiresAt: new Date(end * 1000) };
  }

  /** What a token of ours says, also when its time is over; undefined when it is none. Whose node asks is not checked. */
  async check(token: string, now: Date): Promise<Checked> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = kid === undefined ? undefined : this.keys.get(kid);
          if (!key) throw new errors.JWKSNoMatchingKey();
          return key.publicKey;
        },
        // Its end is judged below, so that a refusal can say whose token it was.
        { issuer: this.issuer, algorithms: ['EdDSA'], typ: tokenType, currentDate: new Date(0) },
      );
      const parsed = claimsShape.safeParse(payload);
      if (!parsed.success) return undefined;
      const { jti, tenant, aud, sub, act, sid, grant, grant_exp: grantEndsAt, reason, exp } = parsed.data;
      return {
        claims: {
          jti,
          tenantId: tenant,
          instanceId: aud,
          userId: sub,
          actorId: act.sub,
          sessionId: sid ?? null,
          reason: reason ?? null,
          delegation: grant && act.tenant ? { grant, actorTenant: act.tenant } : null,
          grantEndsAt: grantEndsAt ?? null,
          expiresAt: new Date(exp * 1000),
        },
        isExpired: exp * 1000 <= now.getTime(),
      };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
