import Stripe from 'stripe';

import { ApiError } from '#platform/errors.js';

/** More than anybody has open in a day, after which they close by themselves. */
const mostPages = 100;

/**
 * Closes the pages on which a customer could still buy a subscription. Throws CONFLICT (ALREADY_SUBSCRIBED) when it has
 * bought one on such a page meanwhile. Safe to repeat.
 */
export async function closePages(stripe: Stripe, customer: string): Promise<void> {
  for (const { id } of await openPages(stripe, customer)) await close(stripe, id);
}

/** Those that are older than a page. Of two that are made at once the newer one stays, whoever closes the other. */
export async function closeOlderPages(stripe: Stripe, customer: string, page: string): Promise<void> {
  const pages = await openPages(stripe, customer);
  const own = pages.findIndex(({ id }) => id === page);
  if (own === -1) return;
  for (const { id } of pages.slice(own + 1)) await close(stripe, id);
}

/** Newest first. */
async function openPages(stripe: Stripe, customer: string): Promise<Stripe.Checkout.Session[]> {
  const { data } = await stripe.checkout.sessions.list({ customer, status: 'open', limit: mostPages });
  return data.filter(({ mode }) => mode === 'subscription');
}

async function close(stripe: Stripe, id: string): Promise<void> {
  try {
    await stripe.checkout.sessions.expire(id);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    // It is open no more: it was paid on, or somebody else has closed it.
    const { status } = await stripe.checkout.sessions.retrieve(id);
    if (status === 'open') throw error;
    if (status === 'complete') throw alreadySubscribed();
  }
}

export function alreadySubscribed(): ApiError {
  return new ApiError('CONFLICT', 'There is a subscription already: changeSubscription changes it', {
    reason: 'ALREADY_SUBSCRIBED',
  });
}
