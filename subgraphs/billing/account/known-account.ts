import type Stripe from 'stripe';

import { failureOf } from '../stripe/stripe-errors.js';

/** An account of Stripe, by what its key tells. */
export interface StripeAccount {
  /** Null where the key may not read it, as restricted ones: then only `isLive` tells accounts apart. */
  id: string | null;
  isLive: boolean;
}

export const isLiveKey = (key: string): boolean => !/^(sk|rk)_test_/.test(key);

/** Asks whose key it is. Throws where Stripe can not be asked now. */
export async function fetchAccount(
  stripe: Stripe,
  isLive: boolean,
  options?: Stripe.RequestOptions,
): Promise<StripeAccount> {
  try {
    const { id } = await stripe.accounts.retrieveCurrent({}, options);
    return { id, isLive };
  } catch (cause) {
    const status = typeof cause === 'object' && cause !== null && 'statusCode' in cause && cause.statusCode;
    if (failureOf(cause)?.isFinal || status === 401 || status === 403) return { id: null, isLive };
    throw cause;
  }
}

/** Whether what is kept may be of the account. */
export const isSame = (kept: StripeAccount, found: StripeAccount): boolean =>
  kept.isLive === found.isLive && (kept.id === null || found.id === null || kept.id === found.id);

export const nameOf = ({ id, isLive }: StripeAccount): string =>
  `the ${isLive ? 'live' : 'test'} account${id === null ? '' : ` ${id}`}`;

/** What is wrong, and what to do. */
export function otherAccount(kept: StripeAccount, found: StripeAccount): string {
  return (
    `STRIPE_SECRET_KEY is of ${nameOf(found)} of Stripe, which knows none of the customers and subscriptions in this ` +
    `database: they are of ${nameOf(kept)}. Put that one's key back; or stop the panel and run npm run stripe:account -- ` +
    `forget, after which all tenants are on Free and subscribe anew, or -- adopt where Stripe has copied the customers into ` +
    `the new account.`
  );
}
