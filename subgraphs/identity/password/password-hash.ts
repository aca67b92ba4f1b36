import { hash, verify } from '@node-rs/argon2';
import { z } from 'zod';

import { longestForm, normalPassword } from './normal-password.js';

// OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane. The parameters are part of the hash.
// The package's default algorithm is Argon2id; its enum of them is ambient and cannot be imported.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}$`;

const longest = 256;

/** 12 characters at least; 256 at most, since every one of them is hashed. Answered in its normal form. */
export const newPassword = z
  .string()
  .transform(normalPassword)
  .pipe(
    z
      .string()
      .min(12, 'Password must have at least 12 characters')
      .max(longest, `Password must have at most ${longest} characters`),
  );

export async function hashPassword(password: string): Promise<string> {
  return hash(normalPassword(password), parameters);
}

/**
 * Whether a hash should be made anew of the password that it was just found to be of: it has other parameters than
 * those of today, or was made of another form than the normal one.
 */
export async function isOutdated(passwordHash: string, password: string): Promise<boolean> {
  if (!hasCurrentParameters(passwordHash)) return true;
  const normal = normalPassword(password);
  return normal !== password && !(await verify(passwordHash, normal));
}

let decoy: Promise<string> | undefined;

/**
 * Whether the password is the one that was hashed, in its normal form or, where that is another one, as it was given:
 * hashes from before passwords were normalised are of that. Without a hash (no such user) it does the same work and says
 * no, and for a hash of cheaper parameters than today's it does the rest of the work, so that the time taken does not
 * tell whether an account exists.
 */
export async function isPassword(password: string, passwordHash: string | undefined): Promise<boolean> {
  const normal = normalPassword(password);
  if (await isForm(normal, passwordHash)) return true;
  return normal !== password && isForm(password, passwordHash);
}

async function isForm(form: string, passwordHash: string | undefined): Promise<boolean> {
  decoy ??= hashPassword('no account has this password');
  const candidate = form.slice(0, longestForm);
  const matches = await verify(passwordHash ?? (await decoy), candidate);
  if (passwordHash !== undefined && !hasCurrentParameters(passwordHash))
    await doTheRest(passwordHash, candidate);
  return matches && passwordHash !== undefined;
}

function hasCurrentParameters(passwordHash: string): boolean {
  return passwordHash.startsWith(currentPrefix);
}

/** Argon2's work is memory times passes. What an older hash took less of it than one of today, this takes. */
async function doTheRest(passwordHash: string, candidate: string): Promise<void> {
  const [, memory = '0', passes = '0'] = /\$m=(\d+),t=(\d+)/.exec(passwordHash) ?? [];
  const left = parameters.memoryCost * parameters.timeCost - Number(memory) * Number(passes);
  const memoryCost = Math.floor(left / parameters.timeCost);
  // Argon2 takes no less than 8 KiB, which is no time at all.
  if (memoryCost >= 8) await hash(candidate, { ...parameters, memoryCost });
}
