import { afterAll, beforeAll, expect, test } from 'vitest';

import { billingWorld, endOf, idOf, itemOf, seconds, type BillingWorld } from '../support/stripe-sandbox.js';

let world: BillingWorld;

beforeAll(async () => {
  world = await billingWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A subscription of the larger plan that goes down to the smaller one when its period is over. */
async function downgraded(endBehavior: 'cancel' | 'release' = 'release') {
  const { stripe, prices } = world;
  const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: prices.enterprise.id }],
  });
  const { id, phases } = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [current] = phases;
  const schedule = await stripe.subscriptionSchedules.update(id, {
    end_behavior: endBehavior,
    phases: [
      {
        items: [{ price: prices.enterprise.id, quantity: 1 }],
        start_date: current?.start_date,
        end_date: current?.end_date,
      },
      {
        items: [{ price: prices.pro.id, quantity: 1 }],
        duration: { interval: 'month', interval_count: 1 },
        metadata: { plan: 'pro' },
      },
    ],
  });
  return { clock, customer, subscription, schedule };
}

test('a downgrade waits for the end of the period, and is renewed at its own price', async () => {
  const { clock, customer, subscription, schedule } = await downgraded();
  const { stripe, prices } = world;
  expect(schedule.phases.map(({ start_date: start, end_date: end }) => [start, end])).toEqual([
    [seconds('2026-04-01T00:00:00'), seconds('2026-05-01T00:00:00')],
    [seconds('2026-05-01T00:00:00'), seconds('2026-06-01T00:00:00')],
  ]);
  await world.advance(clock, '2026-04-30T23:59:59');
  const before = await stripe.subscriptions.retrieve(subscription.id);
  expect(before).toMatchObject({
    schedule: schedule.id,
    items: { data: [{ price: { id: prices.enterprise.id } }] },
  });
  await world.advance(clock, '2026-05-01T02:00:00');
  const after = await stripe.subscriptions.retrieve(subscription.id);
  expect(after.items.data.map(({ price }) => price.id)).toEqual([prices.pro.id]);
  expect(after.metadata).toEqual({ plan: 'pro' });
  expect(endOf(after)).toBe('2026-06-01T00:00:00.000Z');
  expect(await world.invoicesOf(customer)).toMatchObject([
    { total: 19_900, status: 'paid' },
    { total: 4900, status: 'paid', lines: { data: [{ amount: 4900 }] } },
  ]);
});

test('a phase has the discounts that it names, from its beginning on, and no others', async () => {
  const { stripe, prices } = world;
  const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
  const [kept, left] = [
    await stripe.coupons.create({ percent_off: 10, duration: 'forever' }),
    await stripe.coupons.create({ percent_off: 50, duration: 'forever' }),
  ];
  const { id: subscription, discounts } = await stripe.subscriptions.create({
    customer,
    items: [{ price: prices.enterprise.id }],
    discounts: [{ coupon: kept.id }, { coupon: left.id }],
  });
  const { id, phases } = await stripe.subscriptionSchedules.create({ from_subscription: subscription });
  const [current] = phases;
  expect(current?.discounts.map(({ discount }) => discount)).toEqual(discounts);
  const before = {
    items: [{ price: prices.enterprise.id }],
    start_date: current!.start_date,
    end_date: current!.end_date,
  };
  await stripe.subscriptionSchedules.update(id, {
    phases: [
      { ...before, discounts: discounts.map((discount) => ({ discount: idOf(discount) })) },
      { items: [{ price: prices.pro.id }], discounts: [{ coupon: kept.id }] },
    ],
  });
  expect((await stripe.subscriptions.retrieve(subscription)).discounts).toEqual(discounts);
  await world.advance(clock, '2026-05-01T02:00:00');
  // The coupon that it had already is the same discount.
  expect((await stripe.subscriptions.retrieve(subscription)).discounts).toEqual([discounts[0]]);
  expect((await world.invoicesOf(customer)).map(({ total }) => total)).toEqual([8955, 4410]);
});

test('after its last phase a schedule lets its subscription go on, or ends it', async () => {
  const { stripe } = world;
  for (const [end, status] of [
    ['release', 'active'],
    ['cancel', 'canceled'],
  ] as const) {
    const { clock, subscription, schedule } = await downgraded(end);
    await world.advance(clock, '2026-05-15T00:00:00');
    await world.advance(clock, '2026-06-02T00:00:00');
    expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({ status: 'completed' });
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status, schedule: null });
    expect(await world.eventsOf(schedule.id)).toEqual([
      'subscription_schedule.created',
      'subscription_schedule.updated',
      'subscription_schedule.updated',
      'subscription_schedule.completed',
    ]);
  }
});

test('a downgrade that is thought better of never happens', async () => {
  const { clock, subscription, schedule } = await downgraded();
  const { stripe, prices } = world;
  const released = await stripe.subscriptionSchedules.release(schedule.id);
  expect(released).toMatchObject({
    status: 'released',
    subscription: null,
    released_subscription: subscription.id,
  });
  await world.advance(clock, '2026-05-02T00:00:00');
  const after = await stripe.subscriptions.retrieve(subscription.id);
  expect(after).toMatchObject({
    status: 'active',
    schedule: null,
    items: { data: [{ price: { id: prices.enterprise.id } }] },
  });
  await expect(stripe.subscriptionSchedules.release(schedule.id)).rejects.toMatchObject({ statusCode: 400 });
});

test('a subscription with a schedule is cancelled by its schedule only', async () => {
  const { subscription, schedule } = await downgraded();
  const { stripe } = world;
  await expect(
    stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }),
  ).rejects.toMatchObject({
    statusCode: 400,
    param: 'cancel_at_period_end',
  });
  expect(await stripe.subscriptionSchedules.cancel(schedule.id)).toMatchObject({ status: 'canceled' });
  expect(await world.statusOf(subscription.id)).toBe('canceled');
});

test('an upgrade in between is one of the phase that is; the next phase comes all the same', async () => {
  const { clock, subscription, schedule } = await downgraded();
  const { stripe, prices } = world;
  await stripe.subscriptions.update(subscription.id, { items: [{ id: itemOf(subscription), quantity: 3 }] });
  const { phases } = await stripe.subscriptionSchedules.retrieve(schedule.id);
  expect(phases.map(({ items }) => items.map(({ quantity }) => quantity))).toEqual([[3], [1]]);
  await world.advance(clock, '2026-05-02T00:00:00');
  const after = await stripe.subscriptions.retrieve(subscription.id);
  expect(after.items.data).toMatchObject([{ price: { id: prices.pro.id }, quantity: 1 }]);
});

test('a schedule that begins later makes its subscription then', async () => {
  const { stripe, prices } = world;
  const { clock, customer } = await world.customerAt('2026-04-01T00:00:00');
  const made = await stripe.subscriptionSchedules.create({
    customer,
    start_date: seconds('2026-04-10T00:00:00'),
    phases: [{ items: [{ price: prices.pro.id }], duration: { interval: 'month', interval_count: 2 } }],
  });
  expect(made).toMatchObject({ status: 'not_started', subscription: null });
  await world.advance(clock, '2026-04-10T02:00:00');
  const schedule = await stripe.subscriptionSchedules.retrieve(made.id, { expand: ['subscription'] });
  expect(schedule).toMatchObject({ status: 'active', subscription: { status: 'active' } });
  expect(await world.invoicesOf(customer)).toMatchObject([{ total: 4900, status: 'paid' }]);
});

test('phases that leave a gap, or the present out, are refused', async () => {
  const { stripe, prices } = world;
  const { schedule } = await downgraded();
  const items = [{ price: prices.pro.id }];
  const later = seconds('2026-06-01T00:00:00');
  for (const phases of [
    [{ items, start_date: later, end_date: later + 3600 }],
    [
      { items, start_date: seconds('2026-04-01T00:00:00'), end_date: seconds('2026-05-01T00:00:00') },
      { items, start_date: later, end_date: later + 3600 },
    ],
  ])
    await expect(stripe.subscriptionSchedules.update(schedule.id, { phases })).rejects.toMatchObject({
      statusCode: 400,
    });
  expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({ phases: schedule.phases });
});

test('an item of a subscription keeps its id while only its price changes', async () => {
  const { stripe, prices } = world;
  const { customer } = await world.customerAt('2026-04-01T00:00:00');
  const before = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
  const after = await stripe.subscriptions.update(before.id, {
    items: [{ id: itemOf(before), price: prices.enterprise.id }],
  });
  expect(itemOf(after)).toBe(itemOf(before));
});
