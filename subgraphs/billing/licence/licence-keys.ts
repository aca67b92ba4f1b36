import { errors, jwtVerify, SignJWT } from 'jose';

import type { DerivedKey, Keyring } from '#platform/secrets/keyring.js';

import type { Licence } from './licence.entity.js';

/** The JWT type of licences, so that nothing else that is signed passes for one. */
const type = 'qzr-licence+jwt';

/** What a licence that verifies says. */
export interface LicenceClaims {
  id: string;
  tenantId: string;
  instanceId: string;
  issuedAt: number;
  expiresAt: number;
}

/**
 * Signs licences and verifies them. The keys are derived from SECRETS_KEY, apart from those of tokens: all processes have
 * the same, and a key that was rotated verifies as long as it is on the ring. Ed25519 signs the same to the same bytes.
 */
export class LicenceKeys {
  private readonly keys: [DerivedKey, ...DerivedKey[]];

  constructor(
    keyring: Keyring,
    private readonly issuer: string,
  ) {
    this.keys = keyring.derive('licence');
  }

  async sign(licence: Licence): Promise<string> {
    const [{ kid, privateKey }] = this.keys;
    return new SignJWT({
      tenant: licence.tenantId,
      plan: licence.plan.toLowerCase(),
      features: licence.features,
    })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: type })
      .setIssuer(this.issuer)
      .setSubject(licence.instanceId)
      .setJti(licence.id)
      .setIssuedAt(Math.floor(licence.issuedAt.getTime() / 1000))
      .setExpirationTime(Math.floor(licence.expiresAt.getTime() / 1000))
      .sign(privateKey);
  }

  /** Undefined when it is no licence of this panel, or was altered. One that has ended verifies. */
  async verify(text: string): Promise<LicenceClaims | undefined> {
    try {
      const { payload } = await jwtVerify(
        text,
        ({ kid }) => {
          const key = this.keys.find((each) => each.kid === kid);
          if (!key) throw new errors.JWKSNoMatchingKey();
          return key.publicKey;
        },
        // Whether it has ended is for the caller to say.
        { algorithms: ['EdDSA'], typ: type, issuer: this.issuer, currentDate: new Date(0) },
      );
      const { jti, sub, tenant, iat, exp } = payload;
      if (typeof jti !== 'string' || typeof sub !== 'string' || typeof tenant !== 'string') return undefined;
      if (iat === undefined || exp === undefined) return undefined;
      return { id: jti, tenantId: tenant, instanceId: sub, issuedAt: iat, expiresAt: exp };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** As JWKs (RFC 7517), the one that signs first. */
  publicKeys(): { keys: Record<string, unknown>[] } {
    return {
      keys: this.keys.map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        alg: 'EdDSA',
        use: 'sig',
      })),
    };
  }
}
