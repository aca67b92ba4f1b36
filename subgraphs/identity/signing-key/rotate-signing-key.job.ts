import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { generateSigningKey } from './generate-signing-key.js';
import { StoredSigningKey } from './signing-key.entity.js';

// The JWKS may be cached for 5 minutes, and processes read the keys each minute.
const publishedAheadMs = 10 * 60_000;
// The longest token that these keys sign lives 15 minutes; clocks may be off.
const overlapMs = 60 * 60_000;

export interface RotateOptions {
  database: Database;
  keyring: Keyring;
  clock: Clock;
  /**
   * For a key that leaked: the new one signs at once, and the old ones are forgotten at once together with every token
   * they signed. Everyone signs in again by their refresh tokens.
   */
  compromised?: boolean;
}

export interface Rotation {
  kid: string;
  signsFrom: Date;
  /** When the keys before it are forgotten. */
  othersRetireAt: Date;
}

/** Makes the next signing key and says when those before it retire. Processes that run take it up by themselves. */
export async function rotateSigningKey(options: RotateOptions): Promise<Rotation> {
  const now = options.clock.now();
  const signsFrom = new Date(now.getTime() + (options.compromised ? 0 : publishedAheadMs));
  const othersRetireAt = options.compromised ? now : new Date(signsFrom.getTime() + overlapMs);
  const key = await generateSigningKey(options.keyring, { now, signsFrom });
  await systemEm(options.database).transactional(async (em) => {
    await em.execute(`select pg_advisory_xact_lock(hashtext('identity signing key'))`);
    // One that was to retire earlier keeps its date, unless it is to be forgotten now.
    await em.nativeUpdate(
      StoredSigningKey,
      { $or: [{ retiresAt: null }, { retiresAt: { $gt: othersRetireAt } }] },
      { retiresAt: othersRetireAt },
    );
    em.persist(key);
  });
  return { kid: key.kid, signsFrom, othersRetireAt };
}
