import { hash, verify } from '@node-rs/argon2';
import { z } from 'zod';

// OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane. The parameters are part of the hash.
// The package's default algorithm is Argon2id; its enum of them is ambient and cannot be imported.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** 12 characters at least; 256 at most, since every one of them is hashed. */
export const newPassword = z
  .string()
  .min(12, 'Password must have at least 12 characters')
  .max(256, 'Password must have at most 256 characters');

export async function hashPassword(password: string): Promise<string> {
  return hash(password, parameters);
}

let decoy: Promise<string> | undefined;

/**
 * Whether the password is the one that was hashed. Without a hash (no such user) it does the same work and says no, so
 * that the time taken does not tell whether an account exists.
 */
export async function isPassword(password: string, passwordHash: string | undefined): Promise<boolean> {
  decoy ??= hashPassword('no account has this password');
  const matches = await verify(passwordHash ?? (await decoy), password);
  return matches && passwordHash !== undefined;
}
