import { createHash, timingSafeEqual } from 'node:crypto';

/** A SHA-256 in base64url without padding (RFC 7636, section 4.2). */
const s256 = /^[A-Za-z0-9_-]{43}$/;
/** RFC 7636, section 4.1. */
const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/;

export function isChallenge(text: string): boolean {
  return s256.test(text);
}

/** Whether the challenge was made from the verifier by S256, the only method that is taken. */
export function isVerifierOf(challenge: string, verifier: string): boolean {
  if (!verifierForm.test(verifier)) return false;
  const made = createHash('sha256').update(verifier).digest();
  const expected = Buffer.from(challenge, 'base64url');
  return made.length === expected.length && timingSafeEqual(made, expected);
}
