import type Stripe from 'stripe';

import { cataloguePrices, packages, productOf, type CataloguePrice } from '../package/packages.js';
import { couponOf, partnerTiers } from '../partner/partner-tiers.js';
import { ensureCoupon } from './coupons.js';
import { once } from './once.js';

const intervalOf = { MONTHLY: 'month', YEARLY: 'year' } as const;

/**
 * Makes the products and prices of the plans and the coupons of partners' tiers at Stripe, or finds them there: repeating it changes nothing. A price whose
 * amount has changed is made anew and takes over the lookup_key; subscriptions keep the price they have, which is known by its product from then on. Answers a line for each.
 */
export async function ensureCatalogue(stripe: Stripe): Promise<string[]> {
  const lines: string[] = [];
  for (const plan of new Set(cataloguePrices.map((price) => price.plan))) {
    const product = productOf(plan);
    const isNew = await ensureProduct(stripe, product, packages[plan]);
    lines.push(`product ${product}: ${isNew ? 'made' : 'is there'}`);
    for (const price of cataloguePrices.filter((each) => each.plan === plan))
      lines.push(`price ${price.lookupKey}: ${await ensurePrice(stripe, product, price)}`);
  }
  for (const tier of partnerTiers)
    lines.push(`coupon ${couponOf(tier)}: ${(await ensureCoupon(stripe, tier)) ? 'made' : 'is there'}`);
  return lines;
}

async function ensureProduct(
  stripe: Stripe,
  id: string,
  { name, description }: { name: string; description: string },
): Promise<boolean> {
  try {
    await stripe.products.retrieve(id);
    await stripe.products.update(id, { name: `Quazzar ${name}`, description, active: true });
    return false;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await stripe.products.create({ id, name: `Quazzar ${name}`, description });
  return true;
}

async function ensurePrice(stripe: Stripe, product: string, wanted: CataloguePrice): Promise<string> {
  const { lookupKey, amount, currency, cycle } = wanted;
  const { data } = await stripe.prices.list({ lookup_keys: [lookupKey], active: true, limit: 1 });
  const [known] = data;
  if (known?.unit_amount === amount && known.currency === currency) return 'is there';
  // Two that run at once make one price.
  const key = `catalogue-${lookupKey}-${currency}-${amount}-${known?.id ?? 'first'}`;
  const made = await once(key, async (options) =>
    stripe.prices.create(
      {
        product,
        currency,
        unit_amount: amount,
        recurring: { interval: intervalOf[cycle] },
        lookup_key: lookupKey,
        transfer_lookup_key: true,
      },
      options,
    ),
  );
  return known ? `${made.id} takes the place of ${known.id}` : 'made';
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404;
}
