import Stripe from 'stripe';

/** How often something is begun anew that Stripe has failed at. */
const mostKeys = 3;

/**
 * Makes a call under an idempotency key, so that it is done once however often it is made. Where Stripe has failed at it
 * by a fault of its own, it says so to that key for a day: the call is then made under a next key. Such a failure may
 * have done something all the same, so `call` has to be one that does no harm where that is so.
 */
export async function once<T>(
  key: string,
  call: (options: { idempotencyKey: string }) => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await call({ idempotencyKey: number === 1 ? key : `${key}-${number}` });
    } catch (cause) {
      if (!isKeptFailure(cause) || number === mostKeys) throw cause;
    }
  }
}

/** Whether Stripe has told of a failure of its own once more, as it goes on to do for a day. */
export function isKeptFailure(cause: unknown): boolean {
  if (!(cause instanceof Stripe.errors.StripeError)) return false;
  return (cause.statusCode ?? 0) >= 500 && cause.headers?.['idempotent-replayed'] === 'true';
}
