import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { billingWorld, sandboxWorld, seconds } from '../support/stripe-sandbox.js';

describe('a stand-in with a file', () => {
  let folder: string;
  let stateFile: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stripe-state-'));
    stateFile = join(folder, 'stripe.json');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('has everything again after a restart: customers, keys, and events that were not taken', async () => {
    let id: string;
    {
      await using world = await sandboxWorld({ stateFile });
      world.answerWith(500);
      ({ id } = await world.stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'once' }));
      await world.sandbox.delivered();
    }
    await using world = await sandboxWorld({ stateFile });
    expect(await world.stripe.customers.retrieve(id)).toMatchObject({ name: 'Ada' });
    const again = await world.stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'once' });
    expect(again.id).toBe(id);
    const { data } = await world.stripe.events.list();
    expect(data.map(({ type }) => type)).toEqual(['customer.created']);
    // To the endpoint where it is by now.
    await expect.poll(() => world.received.map(({ event }) => event.id)).toEqual([data[0]?.id]);
    expect((await world.stripe.webhookEndpoints.list()).data).toHaveLength(1);
  });

  test('has kept what it answered, also when it is killed', async () => {
    await using world = await sandboxWorld({ stateFile });
    const { id } = await world.stripe.customers.create({ name: 'Grace' }, { idempotencyKey: 'key' });
    // As a process finds it that starts while this one has had no chance to end.
    const copy = join(folder, 'copy.json');
    await writeFile(copy, await readFile(stateFile));
    await using other = await sandboxWorld({ stateFile: copy });
    expect(await other.stripe.customers.retrieve(id)).toMatchObject({ name: 'Grace' });
    expect((await other.stripe.customers.create({ name: 'Grace' }, { idempotencyKey: 'key' })).id).toBe(id);
  });

  test('does not start on a file that it cannot read', async () => {
    await writeFile(stateFile, '{"format":2}');
    await expect(sandboxWorld({ stateFile })).rejects.toThrow('another version');
  });
});

describe('time', () => {
  test('passes by the clock that was given, for those without a test clock', async () => {
    await using world = await billingWorld();
    const { stripe, prices, clock } = world;
    const customer = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: prices.pro.id }],
    });
    await clock.advance(32 * 86_400_000);
    const invoices = await world.invoicesOf(customer.id);
    expect(invoices).toMatchObject([
      { status: 'paid' },
      { status: 'paid', billing_reason: 'subscription_cycle' },
    ]);
    // Late as it may have been noticed, it happened when it was due.
    const [, renewal] = invoices;
    expect(renewal?.created).toBe(
      (await stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_start,
    );
  });

  test('sends its webhooks without anybody asking', async () => {
    await using world = await billingWorld();
    const { stripe, prices } = world;
    const customer = await stripe.customers.create({});
    await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: prices.pro.id }],
      payment_behavior: 'default_incomplete',
    });
    await world.clock.advance(23 * 3600_000);
    await expect
      .poll(() =>
        world.received
          .map(({ event }) => event.data.object as { status?: string })
          .filter(({ status }) => status === 'incomplete_expired'),
      )
      .toHaveLength(1);
  });

  test('on a test clock is advanced by the API, at most two periods at once', async () => {
    await using world = await billingWorld();
    const { stripe, prices } = world;
    const { clock, customer } = await world.customerAt('2026-01-31T00:00:00');
    const { testClocks } = stripe.testHelpers;
    await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
    for (const wanted of [seconds('2026-01-31T00:00:00'), seconds('2026-04-30T00:00:00')])
      await expect(testClocks.advance(clock, { frozen_time: wanted })).rejects.toMatchObject({
        statusCode: 400,
        param: 'frozen_time',
      });
    const advancing = await testClocks.advance(clock, { frozen_time: seconds('2026-03-31T00:00:00') });
    expect(advancing).toMatchObject({
      status: 'advancing',
      status_details: { advancing: { target_frozen_time: seconds('2026-03-31T00:00:00') } },
    });
    await expect.poll(async () => (await testClocks.retrieve(clock)).status).toBe('ready');
    expect(
      (await world.invoicesOf(customer)).map(({ created }) =>
        new Date(created * 1000).toISOString().slice(0, 10),
      ),
    ).toEqual(['2026-01-31', '2026-02-28', '2026-03-31']);
    const types = await world.eventsOf(clock);
    expect(types).toEqual([
      'test_helpers.test_clock.created',
      'test_helpers.test_clock.advancing',
      'test_helpers.test_clock.ready',
    ]);
  });

  test("on a test clock is its customers' own, who are not among the others", async () => {
    await using world = await billingWorld();
    const { stripe, prices } = world;
    const { clock, customer } = await world.customerAt('2030-01-01T00:00:00');
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
    expect((await stripe.customers.list()).data).toEqual([]);
    expect((await stripe.subscriptions.list()).data).toEqual([]);
    expect((await stripe.customers.list({ test_clock: clock })).data).toMatchObject([
      { id: customer, created: seconds('2030-01-01T00:00:00') },
    ]);
    expect((await stripe.subscriptions.list({ customer })).data).toMatchObject([{ id }]);
    await stripe.testHelpers.testClocks.del(clock);
    await expect(stripe.subscriptions.retrieve(id)).rejects.toMatchObject({ statusCode: 404 });
  });

  test('of a year passes in a moment, and all that was due has happened in order', async () => {
    await using world = await billingWorld();
    const { stripe, prices } = world;
    const { clock, customer } = await world.customerAt('2026-01-15T00:00:00');
    await stripe.subscriptions.create({ customer, items: [{ price: prices.pro.id }] });
    const from = performance.now();
    for (let month = 3; month <= 13; month += 1)
      await world.advance(clock, new Date(Date.UTC(2026, month - 1, 16)).toISOString().slice(0, 19));
    expect(performance.now() - from).toBeLessThan(20_000);
    const invoices = await world.invoicesOf(customer);
    expect(invoices).toHaveLength(13);
    expect(new Set(invoices.map(({ status }) => status))).toEqual(new Set(['paid']));
    await world.sandbox.delivered();
    const times = world.received
      .map(({ event }) => event)
      .filter(({ data }) => (data.object as { customer?: string }).customer === customer);
    expect(times.map(({ created }) => created)).toEqual(
      times.map(({ created }) => created).toSorted((a, b) => a - b),
    );
  });
});
