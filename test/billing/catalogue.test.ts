import { afterAll, beforeAll, expect, test } from 'vitest';

import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';

import { sandboxWorld, type SandboxWorld } from '../support/stripe-sandbox.js';

let world: SandboxWorld;
beforeAll(async () => {
  world = await sandboxWorld();
});
afterAll(async () => world[Symbol.asyncDispose]());

const sold = async () => {
  const { data } = await world.stripe.prices.list({ active: true, limit: 100 });
  return data
    .filter((price) => price.lookup_key !== null)
    .map((price) => [price.lookup_key, price.unit_amount, price.currency, price.recurring?.interval])
    .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
};

const catalogue = [
  ['quazzar_pro_monthly', 4_900, 'usd', 'month'],
  ['quazzar_pro_yearly', 49_000, 'usd', 'year'],
];

test('the catalogue is made once, however often and by however many at once it is asked for', async () => {
  await Promise.all([ensureCatalogue(world.stripe), ensureCatalogue(world.stripe)]).catch(() => undefined);
  const lines = await ensureCatalogue(world.stripe);
  expect(lines.filter((line) => !line.endsWith(': is there'))).toEqual([]);
  expect(await sold()).toEqual(catalogue);
  expect((await world.stripe.products.list()).data.map(({ id }) => id)).toEqual(['quazzar_pro']);
  expect((await world.stripe.coupons.list()).data).toHaveLength(2);
});

test('a price that somebody has changed gets its key back; who pays the other one goes on paying it', async () => {
  const { stripe } = world;
  const [before] = (await stripe.prices.list({ lookup_keys: ['quazzar_pro_monthly'] })).data;
  const other = await stripe.prices.create({
    product: 'quazzar_pro',
    currency: 'usd',
    unit_amount: 9_900,
    recurring: { interval: 'month' },
    lookup_key: 'quazzar_pro_monthly',
    transfer_lookup_key: true,
  });
  const { id: customer } = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: other.id }] });
  const lines = await ensureCatalogue(stripe);
  const [now] = (await stripe.prices.list({ lookup_keys: ['quazzar_pro_monthly'] })).data;
  expect(lines).toContain(`price quazzar_pro_monthly: ${now!.id} takes the place of ${other.id}`);
  expect(now!.id).not.toBe(before!.id);
  expect(await sold()).toEqual(catalogue);
  const { items } = await stripe.subscriptions.retrieve(id);
  expect(items.data[0]!.price.id).toBe(other.id);
});
