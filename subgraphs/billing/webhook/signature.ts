import type Stripe from 'stripe';

/** How far a webhook's time may be from ours, in either direction. */
export const toleranceSeconds = 300;

/**
 * The event of a webhook, or undefined when it is not to be believed: not signed by the secret (compared in constant
 * time), altered, or signed too long ago or ahead. The SDK looks at age only; a time ahead of ours would let a captured
 * webhook be replayed later.
 */
export function verifiedEvent(
  stripe: Stripe,
  { body, header, secret, now }: { body: Buffer; header: string; secret: string; now: Date },
): Stripe.Event | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  const [, signed] = /(?:^|,)t=(\d{1,12})(?:,|$)/.exec(header) ?? [];
  if (signed === undefined || Math.abs(seconds - Number(signed)) > toleranceSeconds) return undefined;
  try {
    return stripe.webhooks.constructEvent(body, header, secret, toleranceSeconds, undefined, now.getTime());
  } catch {
    return undefined;
  }
}
