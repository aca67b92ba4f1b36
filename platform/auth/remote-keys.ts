import { importJWK, type CryptoKey } from 'jose';
import { z } from 'zod';

import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { KeySource } from './tokens.js';

// The pace at which identity itself reads its keys. A key that is gone there is gone here by the next request after it.
const rereadMs = 5_000;
// For a kid that is not known yet; a flood of forged ones must not become a flood of requests.
const unknownMs = 1_000;
const timeoutMs = 2_000;
// While identity is away nobody waits for it whose key was good this short a while ago.
const goodMs = 15_000;

const shape = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });

/** Identity's public keys over HTTP. While identity is away the keys that it published last are good. */
export function remoteKeys(url: string, clock: Clock, logger: Logger): KeySource {
  let known = new Map<string, CryptoKey>();
  let readAt = -Infinity;
  let knownAt = -Infinity;
  let isAway = false;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    readAt = clock.now().getTime();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
      const { keys } = shape.parse(await response.json());
      const opened = await Promise.all(
        keys.map(async (jwk) => [jwk.kid, known.get(jwk.kid) ?? (await importJWK(jwk, 'ES256'))] as const),
      );
      knownAt = clock.now().getTime();
      isAway = false;
      known = new Map(opened.filter((entry): entry is [string, CryptoKey] => 'type' in entry[1]));
    } catch (error) {
      isAway = true;
      logger.warn({ err: error }, "identity's public keys could not be read");
    }
  }

  return (kid) => {
    const now = clock.now().getTime();
    const isKnown = known.has(kid);
    const isDue = now - readAt >= (isKnown ? rereadMs : unknownMs);
    if (isDue) reading ??= read().finally(() => (reading = undefined));
    // A read that a forged kid has caused holds up nobody else.
    const mayWait = isDue || !isKnown;
    const waits = mayWait && !(isAway && isKnown && now - knownAt < goodMs);
    return reading && waits ? reading.then(() => known.get(kid)) : known.get(kid);
  };
}
