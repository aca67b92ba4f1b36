import Stripe from 'stripe';

import { once } from './once.js';

/**
 * Ends a subscription that lives beside another one of the same customer, at once. What is paid for and not used up becomes
 * a credit of the customer, which its next invoices take; no money goes back. Answers whether it lived. Safe to repeat.
 */
export async function endSurplus(stripe: Stripe, id: string): Promise<boolean> {
  try {
    await once(`surplus-${id}`, async (options) =>
      stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true }, options),
    );
    return true;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') return false;
    throw error;
  }
}
