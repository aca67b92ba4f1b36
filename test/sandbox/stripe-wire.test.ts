import { once } from 'node:events';
import { request } from 'node:http';

import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sandboxWorld, sdk, type SandboxWorld } from '../support/stripe-sandbox.js';

let world: SandboxWorld;

beforeAll(async () => {
  world = await sandboxWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const failure = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error('no error of Stripe came');
  return error;
};

/** A call as no SDK would make it. */
async function raw(
  method: string,
  path: string,
  { body = '', headers = {} }: { body?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(world.sandbox.url + path, {
    method,
    ...(body !== '' && { body }),
    headers: {
      authorization: `Bearer ${world.sandbox.secretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { error?: Record<string, string>; id?: string },
  };
}

describe('who may call', () => {
  test('a test key is asked for, as a bearer or by basic authentication', async () => {
    expect(await raw('GET', '/v1/customers', { headers: { authorization: '' } })).toMatchObject({
      status: 401,
      body: { error: { type: 'invalid_request_error' } },
    });
    const live = await failure(sdk(world.sandbox.url, ['sk', 'live', 'x'].join('_')).customers.list());
    expect(live).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    const basic = Buffer.from(`${world.sandbox.secretKey}:`).toString('base64');
    expect(await raw('GET', '/v1/customers', { headers: { authorization: `Basic ${basic}` } })).toMatchObject(
      { status: 200 },
    );
  });

  test('another version of the API is refused', async () => {
    const older = await raw('GET', '/v1/customers', { headers: { 'stripe-version': '2024-04-10' } });
    expect(older).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('2024-04-10') } },
    });
  });
});

describe('parameters', () => {
  test.for([
    ['name=Ada&colour=red', 'parameter_unknown', 'colour', 'Received unknown parameter: colour'],
    [
      'address[planet]=Mars',
      'parameter_unknown',
      'address[planet]',
      'Received unknown parameter: address[planet]',
    ],
    ['balance=many', 'parameter_invalid_integer', 'balance', 'Invalid integer: many'],
    [
      'tax_exempt=perhaps',
      undefined,
      'tax_exempt',
      'Invalid tax_exempt: must be one of exempt, none, or reverse',
    ],
    ['test_clock=clock_none', 'resource_missing', 'test_clock', "No such test clock: 'clock_none'"],
    ['payment_method=pm_none', 'resource_missing', 'payment_method', "No such PaymentMethod: 'pm_none'"],
  ] as const)('of a customer: %s is refused', async ([body, code, param, message]) => {
    const before = await world.stripe.customers.list({ limit: 100 });
    const { status, body: answer } = await raw('POST', '/v1/customers', { body });
    expect({ status, ...answer.error }).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param,
      message,
      ...(code && { code }),
    });
    expect(await world.stripe.customers.list({ limit: 100 })).toEqual(before);
  });

  test('what is missing is named', async () => {
    const error = await failure(world.stripe.prices.create({ currency: 'usd', product: 'prod_none' }));
    expect(error).toMatchObject({ code: 'parameter_missing', param: 'unit_amount', statusCode: 400 });
  });

  test('an object that is not there is 404, with the request id of the answer', async () => {
    const error = await failure(world.stripe.customers.retrieve('cus_none'));
    expect(error).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: "No such customer: 'cus_none'",
    });
    expect(error.requestId).toMatch(/^req_/);
  });

  test('metadata is merged, and empty values remove their keys', async () => {
    const { id } = await world.stripe.customers.create({ metadata: { a: '1', b: '2' } });
    const after = await world.stripe.customers.update(id, { metadata: { a: null, c: '3' } });
    expect(after.metadata).toEqual({ b: '2', c: '3' });
  });
});

describe('lists', () => {
  test('are paged newest first, forwards and backwards', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1)
      ids.unshift((await world.stripe.customers.create({ email: 'page@example.com' })).id);
    const first = await world.stripe.customers.list({ email: 'page@example.com', limit: 2 });
    expect(first).toMatchObject({ has_more: true, url: '/v1/customers' });
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await world.stripe.customers.list({
      email: 'page@example.com',
      limit: 2,
      starting_after: ids[1],
    });
    expect(second.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const before = await world.stripe.customers.list({
      email: 'page@example.com',
      limit: 2,
      ending_before: ids[3],
    });
    expect(before.data.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    expect(before.has_more).toBe(true);
    const all: string[] = [];
    for await (const { id } of world.stripe.customers.list({ email: 'page@example.com', limit: 2 }))
      all.push(id);
    expect(all).toEqual(ids);
  });

  test('take at most a hundred at once', async () => {
    expect(await failure(world.stripe.customers.list({ limit: 101 }))).toMatchObject({
      statusCode: 400,
      param: 'limit',
    });
  });
});

describe('expansion', () => {
  test('puts whole objects where ids are, also in lists', async () => {
    const { stripe } = world;
    const product = await stripe.products.create({ name: 'Pro' });
    await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 100,
      lookup_key: 'expanded',
    });
    const { data } = await stripe.prices.list({ lookup_keys: ['expanded'], expand: ['data.product'] });
    expect(data).toMatchObject([{ product: { id: product.id, name: 'Pro' } }]);
    const made = await stripe.customers.create({ expand: ['subscriptions'] });
    expect(made.subscriptions).toMatchObject({ object: 'list', data: [] });
    expect(await stripe.customers.retrieve(made.id)).not.toHaveProperty('subscriptions');
  });

  test.for(['colour', 'email', 'a.b.c.d.e'])('of %s is refused, and nothing is made', async (path) => {
    const { stripe } = world;
    const error = await failure(stripe.customers.create({ email: 'expanded@example.com', expand: [path] }));
    expect(error).toMatchObject({ statusCode: 400, param: 'expand' });
    expect((await stripe.customers.list({ email: 'expanded@example.com' })).data).toEqual([]);
  });
});

describe('cards', () => {
  test.for([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
  ] as const)('%s is not saved: %s', async ([card, code, decline]) => {
    const { id } = await world.stripe.customers.create({});
    const error = await failure(world.stripe.paymentMethods.attach(card, { customer: id }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(error).toMatchObject({ statusCode: 402, code, ...(decline && { decline_code: decline }) });
    expect((await world.stripe.customers.listPaymentMethods(id)).data).toEqual([]);
  });

  test('are saved for one customer, and taken away again', async () => {
    const { stripe } = world;
    const [one, other] = [await stripe.customers.create({}), await stripe.customers.create({})];
    const card = await stripe.paymentMethods.create({
      type: 'card',
      card: { token: 'tok_mastercard' },
      billing_details: { name: 'Ada' },
    });
    expect(card).toMatchObject({
      customer: null,
      card: { brand: 'mastercard', last4: '4444' },
      billing_details: { name: 'Ada' },
    });
    await stripe.paymentMethods.attach(card.id, { customer: one.id });
    expect(await failure(stripe.paymentMethods.attach(card.id, { customer: other.id }))).toMatchObject({
      statusCode: 400,
    });
    const theirs = { invoice_settings: { default_payment_method: card.id } };
    expect(await failure(stripe.customers.update(other.id, theirs))).toMatchObject({
      code: 'resource_missing',
    });
    await stripe.customers.update(one.id, theirs);
    expect(await stripe.paymentMethods.detach(card.id)).toMatchObject({ customer: null });
    expect(await stripe.customers.retrieve(one.id)).toMatchObject({
      invoice_settings: { default_payment_method: null },
    });
  });
});

describe('idempotency keys', () => {
  const body = 'description=once';
  const headers = { 'idempotency-key': 'key-1' };

  test('the same request is done once, and answered alike', async () => {
    const first = await raw('POST', '/v1/customers', { body, headers });
    const again = await raw('POST', '/v1/customers', { body, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('original-request')).toBe(first.headers.get('request-id'));
  });

  test('with other parameters it is an error, and nothing is done', async () => {
    const error = await failure(
      world.stripe.customers.create({ description: 'other' }, { idempotencyKey: 'key-1' }),
    );
    expect(error).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
  });

  test('a request that did not pass the check of its parameters does not use its key up', async () => {
    await failure(
      world.stripe.customers.create({ tax_exempt: 'perhaps' as 'none' }, { idempotencyKey: 'key-2' }),
    );
    const made = await world.stripe.customers.create({ description: 'better' }, { idempotencyKey: 'key-2' });
    expect(made.description).toBe('better');
  });

  test('while the first is under way a second is 409', async () => {
    world.sandbox.addFault({ kind: 'delay', delayMs: 300 });
    const first = raw('POST', '/v1/customers', {
      body: 'description=slow',
      headers: { 'idempotency-key': 'key-3' },
    });
    const second = await expect
      .poll(() =>
        raw('POST', '/v1/customers', { body: 'description=slow', headers: { 'idempotency-key': 'key-3' } }),
      )
      .toMatchObject({
        status: 409,
        body: { error: { type: 'idempotency_error', code: 'idempotency_key_in_use' } },
      })
      .then(() => first);
    expect(second.status).toBe(200);
  });

  test('a connection that ends without its answer is asked again by the SDK, and one thing is made', async () => {
    world.sandbox.addFault({ kind: 'drop_after_commit' });
    const made = await world.stripe.customers.create({ email: 'dropped@example.com' });
    const { data } = await world.stripe.customers.list({ email: 'dropped@example.com' });
    expect(data.map(({ id }) => id)).toEqual([made.id]);
  });
});

describe('faults on demand', () => {
  test.for([
    [{ kind: 'error', status: 429 }, Stripe.errors.StripeRateLimitError],
    [{ kind: 'error', status: 503, next: 3 }, Stripe.errors.StripeAPIError],
    [{ kind: 'error', status: 502, next: 3, isHtml: true }, Stripe.errors.StripeAPIError],
    [{ kind: 'cut_body', next: 3 }, Stripe.errors.StripeConnectionError],
    [{ kind: 'drop_before', next: 4 }, Stripe.errors.StripeConnectionError],
  ] as const)('%o', async ([fault, kind]) => {
    const stripe = sdk(world.sandbox.url, world.sandbox.secretKey, { maxNetworkRetries: 0 });
    const response = await fetch(`${world.sandbox.url}/_sandbox/faults`, {
      method: 'POST',
      body: JSON.stringify({ method: 'GET', ...fault }),
    });
    expect(response.status).toBe(200);
    expect(await failure(stripe.products.list())).toBeInstanceOf(kind);
    await fetch(`${world.sandbox.url}/_sandbox/faults`, { method: 'DELETE' });
    expect(await stripe.products.list()).toMatchObject({ object: 'list' });
  });

  test('a fault that makes no sense is refused with why', async () => {
    const response = await fetch(`${world.sandbox.url}/_sandbox/faults`, {
      method: 'POST',
      body: '{"kind":"fire"}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: expect.stringContaining('kind') });
  });
});

test('a request whose client goes away does no harm', async () => {
  const { hostname, port } = new URL(world.sandbox.url);
  const gone = request({
    hostname,
    port,
    method: 'POST',
    path: '/v1/customers',
    headers: { 'content-length': '100' },
  });
  gone.on('error', () => undefined);
  gone.write('name=half');
  await once(gone, 'socket');
  gone.destroy();
  expect(await world.stripe.customers.list()).toMatchObject({ object: 'list' });
});
