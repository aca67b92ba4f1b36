import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { sandboxWorld, type SandboxWorld } from '../support/stripe-sandbox.js';

let world: SandboxWorld;

beforeAll(async () => {
  world = await sandboxWorld();
});

beforeEach(async () => {
  world.sandbox.deliver({ order: 'as_happened', copies: 1, isHeld: false, lose: 0 });
  await world.sandbox.delivered();
  world.received.length = 0;
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const types = () => world.received.map(({ event }) => event.type);

test('events are signed so that the SDK believes them, and say which request made them', async () => {
  const customer = await world.stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'the-key' });
  await world.sandbox.delivered();
  const [got] = world.received;
  if (!got) throw new Error('nothing arrived');
  // The SDK looks at the machine's time, from which the clock of tests starts.
  const event = world.stripe.webhooks.constructEvent(got.body, got.signature, world.webhookSecret);
  expect(event).toMatchObject({
    object: 'event',
    type: 'customer.created',
    api_version: Stripe.API_VERSION,
    data: { object: { id: customer.id, name: 'Ada' } },
    request: { id: customer.lastResponse.requestId, idempotency_key: 'the-key' },
  });
  expect(() =>
    world.stripe.webhooks.constructEvent(`${got.body} `, got.signature, world.webhookSecret),
  ).toThrow(Stripe.errors.StripeSignatureVerificationError);
});

test('an update shows what it changed; one that changes nothing makes no event', async () => {
  const { id } = await world.stripe.customers.create({ name: 'Ada' });
  await world.stripe.customers.update(id, { name: 'Grace' });
  await world.stripe.customers.update(id, { name: 'Grace' });
  await world.sandbox.delivered();
  expect(types()).toEqual(['customer.created', 'customer.updated']);
  expect(world.received[1]?.event.data).toMatchObject({
    object: { name: 'Grace' },
    previous_attributes: { name: 'Ada' },
  });
});

test('a delivery that is not taken is made again later, with a signature of its time', async () => {
  world.answerWith(500);
  const { id } = await world.stripe.customers.create({});
  await world.sandbox.delivered();
  const before = world.received.length;
  world.answerWith(200);
  await world.clock.advance(5_000);
  await expect.poll(() => world.received.length).toBe(before + 1);
  const [first, second] = world.received;
  expect(second?.event.id).toBe(first?.event.id);
  expect(second?.signature).not.toBe(first?.signature);
  await world.sandbox.delivered();
  const { data } = await world.stripe.events.list({
    type: 'customer.created',
    delivery_success: true,
    limit: 1,
  });
  expect(data[0]?.data.object).toMatchObject({ id });
});

test('events can be held back and let go in any order, and more than once', async () => {
  world.sandbox.deliver({ isHeld: true });
  const { id } = await world.stripe.customers.create({});
  await world.stripe.customers.update(id, { name: 'Ada' });
  await world.stripe.customers.del(id);
  const [created, updated, deleted] = world.sandbox.heldEvents().map((event) => event.id);
  if (!created || !updated || !deleted) throw new Error('events are missing');
  world.sandbox.release([deleted, created, updated, created]);
  await world.sandbox.delivered();
  expect(types()).toEqual(['customer.deleted', 'customer.created', 'customer.updated', 'customer.created']);
});

test('events can come doubled, backwards, or not at all', async () => {
  world.sandbox.deliver({ copies: 2 });
  await world.stripe.customers.create({});
  await world.sandbox.delivered();
  expect(types()).toEqual(['customer.created', 'customer.created']);
  world.received.length = 0;
  world.sandbox.deliver({ copies: 1, isHeld: true, order: 'reversed' });
  const { id } = await world.stripe.customers.create({});
  await world.stripe.customers.del(id);
  world.sandbox.release();
  await world.sandbox.delivered();
  expect(types()).toEqual(['customer.deleted', 'customer.created']);
  world.received.length = 0;
  world.sandbox.deliver({ lose: 1 });
  await world.stripe.customers.create({});
  await world.stripe.products.create({ name: 'Pro' });
  await world.sandbox.delivered();
  expect(types()).toEqual(['product.created']);
});

test('further endpoints get the events they ask for, signed by their own secret, which is told once', async () => {
  const { stripe } = world;
  const [first] = (await stripe.webhookEndpoints.list()).data;
  const endpoint = await stripe.webhookEndpoints.create({
    url: `${first?.url}?second`,
    enabled_events: ['product.created'],
  });
  expect(endpoint.secret).toMatch(/^whsec_/);
  expect((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined();
  await stripe.customers.create({});
  await stripe.products.create({ name: 'Pro' });
  await world.sandbox.delivered();
  expect(types().toSorted()).toEqual(['customer.created', 'product.created', 'product.created']);
  const mine = world.received.filter(({ body, signature }) => {
    try {
      return stripe.webhooks.constructEvent(body, signature, endpoint.secret ?? '');
    } catch {
      return false;
    }
  });
  expect(mine.map(({ event }) => event.type)).toEqual(['product.created']);
  await stripe.webhookEndpoints.del(endpoint.id);
});
