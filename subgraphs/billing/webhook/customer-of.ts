import Stripe from 'stripe';

import { asking } from '../stripe/stripe-errors.js';

/**
 * Whom an event is about. A dispute names its charge only, which is asked for: there are few. Throws UNAVAILABLE where Stripe
 * does not answer, and the event comes again.
 */
export async function customerOf(stripe: Stripe, { data }: Stripe.Event): Promise<string | undefined> {
  const object = data.object as {
    object?: string;
    id?: string;
    customer?: string | { id: string } | null;
    charge?: unknown;
  };
  if (object.object === 'customer') return object.id;
  if (object.object === 'dispute' && typeof object.charge === 'string') return payerOf(stripe, object.charge);
  return idOf(object.customer);
}

async function payerOf(stripe: Stripe, charge: string): Promise<string | undefined> {
  return asking(async () => {
    try {
      return idOf((await stripe.charges.retrieve(charge)).customer);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeError && error.code === 'resource_missing') return undefined;
      throw error;
    }
  });
}

const idOf = (customer: string | { id: string } | null | undefined): string | undefined =>
  typeof customer === 'string' ? customer : customer?.id;
