import { Secret, TOTP } from 'otpauth';

// RFC 6238 with the parameters that every authenticator app knows.
const period = 30;
const parameters = { algorithm: 'SHA1', digits: 6, period } as const;

/** One step before and after the current one: a clock that is off, a code typed at the last second. */
const window = 1;

/** 160 random bits in base32 (RFC 4226, section 4: the recommended length). */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What an authenticator app reads from the QR code. */
export function otpauthUrl(secret: string, account: { issuer: string; label: string }): string {
  return new TOTP({ ...parameters, ...account, secret: Secret.fromBase32(secret) }).toString();
}

/** The 30 s step that a code belongs to, or undefined when it belongs to none near the moment. */
export function stepOf(secret: string, code: string, now: Date): number | undefined {
  const totp = new TOTP({ ...parameters, secret: Secret.fromBase32(secret) });
  const delta = totp.validate({ token: code, timestamp: now.getTime(), window });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / period) + delta;
}
