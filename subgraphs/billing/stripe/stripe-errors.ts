import Stripe from 'stripe';

import { ApiError } from '#platform/errors.js';

const retryAfterSeconds = 5;

/** What a failed call to Stripe means for who asked for it. */
export interface StripeFailure {
  /** Whether Stripe has refused it for good. Otherwise it is not known, or not yet, what became of it. */
  isFinal: boolean;
  error: ApiError;
}

/** Reads a failure by its HTTP status: the SDK's classes go by it too, whatever type Stripe names. */
export function failureOf(cause: unknown): StripeFailure | undefined {
  if (!(cause instanceof Stripe.errors.StripeError)) return undefined;
  const status = cause.statusCode;
  if (status === 402)
    return { isFinal: true, error: declined(cause, 'The payment was declined; nothing has changed') };
  // 401 and 403 are the operator's to mend, 409 another call under way with the same key, 429 too many of them.
  const isAnswer = status !== undefined && status >= 400 && status < 500;
  if (isAnswer && ![401, 403, 409, 429].includes(status)) {
    return {
      isFinal: true,
      error: new ApiError('CONFLICT', 'Stripe has refused this', {
        reason: 'STRIPE_REFUSED',
        details: cause.code === undefined ? {} : { code: cause.code },
        cause,
      }),
    };
  }
  return { isFinal: false, error: away(cause) };
}

/** Whether what was named is not, or no more, at Stripe. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof Stripe.errors.StripeError && cause.code === 'resource_missing';
}

/** CONFLICT (CARD_DECLINED) in other words, for what changes something all the same. */
export function declinedWith(cause: unknown, message: string): ApiError | undefined {
  const isDeclined = cause instanceof Stripe.errors.StripeError && cause.statusCode === 402;
  return isDeclined ? declined(cause, message) : undefined;
}

function declined(cause: InstanceType<typeof Stripe.errors.StripeError>, message: string): ApiError {
  const code = cause.decline_code ?? cause.code;
  return new ApiError('CONFLICT', message, {
    reason: 'CARD_DECLINED',
    details: code === undefined ? {} : { decline: code },
    cause,
  });
}

/** Stripe can't be asked now. */
export function away(cause: unknown): ApiError {
  return new ApiError('UNAVAILABLE', 'The payment provider can not be reached now', {
    reason: 'STRIPE_AWAY',
    retryAfterSeconds,
    cause,
  });
}

/** Whether it is what `away` makes. */
export function isAway(error: unknown): boolean {
  return error instanceof ApiError && error.extensions.reason === 'STRIPE_AWAY';
}

/** Runs a call to Stripe for a caller who waits for it. */
export async function asking<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw failureOf(cause)?.error ?? cause;
  }
}
