import type { KeyObject } from 'node:crypto';

const mostRsaBits = 4096;
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];

/** What of a client's key keeps it from being used, in words. */
export const costlyKey = `client-key-data must be an RSA key of at most ${mostRsaBits} bits, an EC key of P-256, P-384 or P-521, or Ed25519`;

/**
 * Whether a handshake with the key costs others nothing. Node signs on the thread that serves everybody, and an RSA key of
 * four times the bits takes it for sixty times as long.
 */
export function isCheap({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = Infinity, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa') return modulusLength <= mostRsaBits;
  return asymmetricKeyType === 'ed25519' || (asymmetricKeyType === 'ec' && curves.includes(namedCurve));
}
