import { randomInt } from 'node:crypto';

import { sha256 } from '#platform/secrets/random-token.js';

import { bareCode } from './bare-code.js';

// Without letters that are easily taken for one another.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
const count = 10;

/** Ten codes of 16 characters, 79 random bits each: enough that a plain SHA-256 keeps them secret. */
export function makeRecoveryCodes(): string[] {
  return Array.from({ length: count }, () => {
    const code = Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('');
    return code.match(/.{4}/g)!.join('-');
  });
}

/** However it was typed: case, dashes and spaces don't count. */
export function recoveryCodeHash(code: string): string {
  return sha256(bareCode(code).toLowerCase());
}
