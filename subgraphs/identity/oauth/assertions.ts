import { randomUUID } from 'node:crypto';

import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';

import type { Session } from '../session/session.entity.js';
import type { SigningKeyService } from '../signing-key/signing-key.service.js';
import type { User } from '../user/user.entity.js';
import type { OAuthCode } from './oauth-code.entity.js';
import type { OAuthTokens } from './oauth.inputs.js';

const lifetimeSeconds = 300;

/** Explicit typing keeps these from passing as the panel's own tokens, and the other way round (RFC 8725, 3.11). */
const accessTokenType = 'oauth-at+jwt';

export interface IssueOptions {
  user: User;
  session: Session;
  code: OAuthCode;
  now: Date;
}

/** What verifies of an access token; whether it was revoked is in the database. */
export interface AccessClaims {
  tenantId: string;
  userId: string;
  jti: string;
}

/** Signs and verifies what nodes get: the assertion of who signed in, and a token for userinfo. */
export class Assertions {
  constructor(
    private readonly keys: SigningKeyService,
    private readonly issuer: string,
  ) {}

  async issue(options: IssueOptions) {
    const { user, session, code, now } = options;
    const key = this.keys.signingKey();
    const issuedAt = Math.floor(now.getTime() / 1000);
    const [idToken, accessToken] = [randomUUID(), randomUUID()];
    const sign = async (claims: JWTPayload, jti: string, audience: string, typ: string) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ })
        .setIssuer(this.issuer)
        .setSubject(user.id)
        .setAudience(audience)
        .setJti(jti)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(key.privateKey);
    const tokens: OAuthTokens = {
      idToken: await sign(
        {
          ...(code.nonce === null ? {} : { nonce: code.nonce }),
          auth_time: Math.floor(session.createdAt.getTime() / 1000),
          email: user.email,
          email_verified: user.emailVerifiedAt !== null,
          name: user.name,
          tenant: user.tenantId,
          role: user.role.toLowerCase(),
        },
        idToken,
        code.instanceId,
        'JWT',
      ),
      accessToken: await sign(
        { tenant: user.tenantId, client_id: code.instanceId },
        accessToken,
        this.userInfoUrl,
        accessTokenType,
      ),
      tokenType: 'Bearer',
      expiresIn: lifetimeSeconds,
    };
    return {
      tokens,
      issued: [
        { kind: 'ID_TOKEN', jti: idToken },
        { kind: 'ACCESS_TOKEN', jti: accessToken },
      ] as const,
      expiresAt: new Date((issuedAt + lifetimeSeconds) * 1000),
    };
  }

  /** Undefined when it is not an access token of ours or has ended. */
  async verifyAccessToken(token: string, now: Date): Promise<AccessClaims | undefined> {
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          const key = kid === undefined ? undefined : await this.keys.find(kid);
          if (!key) throw new errors.JWKSNoMatchingKey();
          return key;
        },
        {
          issuer: this.issuer,
          audience: this.userInfoUrl,
          algorithms: ['ES256'],
          typ: accessTokenType,
          currentDate: now,
          requiredClaims: ['sub', 'jti', 'tenant', 'exp'],
        },
      );
      return { tenantId: String(payload['tenant']), userId: String(payload.sub), jti: String(payload.jti) };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }

  private get userInfoUrl(): string {
    return `${this.issuer}/api/oauth/userinfo`;
  }
}
