import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits: nothing to guess, so a plain SHA-256 of it is all that is kept. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
