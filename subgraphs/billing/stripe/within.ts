import { setTimeout as sleep } from 'node:timers/promises';

import { away } from './stripe-errors.js';

/**
 * What Stripe answers within so many milliseconds, else UNAVAILABLE. The SDK's own deadline is for silence only: an answer
 * that trickles in has none, nor has a list of many pages. What was asked goes on, and is looked at by nobody.
 */
export async function within<T>(ms: number, asked: Promise<T>): Promise<T> {
  const over = new AbortController();
  const tooLate = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw away(new Error(`Stripe has not answered within ${ms} ms`));
  });
  return Promise.race([asked, tooLate]).finally(() => over.abort());
}
