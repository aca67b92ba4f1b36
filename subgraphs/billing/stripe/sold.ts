import type Stripe from 'stripe';

import type { Plan } from '#platform/entitlement/plans.js';

import { readLookupKey, readProduct, type BillingCycle } from '../package/packages.js';
import { named } from './schedules.js';

/** An item of a subscription that is for a plan of ours. */
export interface SoldItem {
  item: Stripe.SubscriptionItem;
  plan: Plan;
  cycle: BillingCycle;
}

/** The item that is for a plan, wherever it stands: a contract may sell more beside it. Undefined where there is none. */
export function soldOf({ items }: Pick<Stripe.Subscription, 'items'>): SoldItem | undefined {
  for (const item of items.data) {
    const sold = soldBy(item.price);
    if (sold) return { item, ...sold };
  }
  return undefined;
}

/** An account may sell other things to the same customer. */
export const isOurs = (subscription: Pick<Stripe.Subscription, 'items'>): boolean =>
  soldOf(subscription) !== undefined;

/**
 * What a price is for. Stripe takes its `lookup_key` off when another price takes its place; who pays it goes on paying it,
 * and it is known by its product, or by a `lookup_key` in its metadata.
 */
function soldBy({
  lookup_key: key,
  metadata,
  product,
  recurring,
}: Stripe.Price): { plan: Plan; cycle: BillingCycle } | undefined {
  return (
    readLookupKey(key) ?? readLookupKey(metadata['lookup_key']) ?? readProduct(named(product), recurring)
  );
}
