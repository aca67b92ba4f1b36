import { z } from 'zod';

import { invalid } from '../errors.js';
import {
  address,
  changedMetadata,
  expand,
  integer,
  isWithin,
  metadata,
  range,
  text,
  unsettable,
  unsettableText,
} from '../http/form.js';
import { listing } from '../http/list.js';
import { deletion, existing, given, inPath, operation, page } from '../http/operation.js';
import { newId, randomText } from '../store/ids.js';
import type { Customer } from '../store/stored.js';
import { endSubscription } from '../subscription/end.js';
import type { World } from '../world.js';
import { emptyAddress, methodFor } from './payment-method.js';

const path = '/v1/customers';
const customersPerClock = 3;

const writable = {
  address: address.optional(),
  balance: integer.optional(),
  description: unsettableText.optional(),
  email: unsettableText.optional(),
  expand,
  invoice_prefix: z
    .string()
    .regex(/^[A-Z0-9]{3,12}$/, 'Invoice prefix must be 3 to 12 uppercase letters or numbers.')
    .optional(),
  invoice_settings: z
    .strictObject({ default_payment_method: unsettableText.optional(), footer: unsettableText.optional() })
    .optional(),
  metadata: metadata.optional(),
  name: unsettableText.optional(),
  phone: unsettableText.optional(),
  preferred_locales: z.array(text).optional(),
  shipping: unsettable(z.strictObject({ address, name: text, phone: text.optional() })).optional(),
  tax_exempt: z.enum(['exempt', 'none', 'reverse']).optional(),
};

type Given = Omit<z.infer<z.ZodObject<typeof writable>>, 'expand'>;

function changed(world: World, before: Customer, fields: Given): Customer {
  const { metadata: data, invoice_settings: settings, address: place, shipping, ...others } = fields;
  const wanted = settings?.default_payment_method;
  const method = wanted
    ? methodFor(world, wanted, before.id, 'invoice_settings[default_payment_method]').id
    : wanted;
  return {
    ...before,
    ...given(others),
    ...(place !== undefined && {
      address: (place && { ...emptyAddress, ...given(place) }) as Customer['address'],
    }),
    ...(shipping !== undefined && { shipping: shipping as Customer['shipping'] }),
    invoice_settings: {
      ...before.invoice_settings,
      ...given({ ...settings, default_payment_method: method }),
    },
    metadata: changedMetadata(before.metadata, data),
  };
}

function emptyCustomer(world: World, testClock: string | null): Customer {
  return {
    id: newId('customer'),
    object: 'customer',
    address: null,
    balance: 0,
    created: world.now(testClock),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: testClock,
  };
}

/** A customer who is made by a page. */
export function makeCustomer(world: World, fields: Given): Customer {
  const customer = world.store.put('customer', changed(world, emptyCustomer(world, null), fields));
  world.emit('customer.created', customer);
  return customer;
}

export const customerOperations = [
  operation(
    'POST',
    path,
    z.strictObject({ ...writable, payment_method: text.optional(), test_clock: text.optional() }),
    (world, { payment_method: method, test_clock: clock, ...fields }) => {
      if (clock !== undefined) {
        existing(world, 'test_helpers.test_clock', clock, 'test_clock');
        const others = world.store.all('customer').filter((other) => other.test_clock === clock);
        if (others.length >= customersPerClock)
          throw invalid(
            `You can only create up to ${customersPerClock} customers with the same test clock.`,
            'test_clock',
          );
      }
      const empty = world.store.put('customer', emptyCustomer(world, clock ?? null));
      const attached =
        method === undefined ? undefined : methodFor(world, method, empty.id, 'payment_method');
      const settings = fields.invoice_settings;
      // Both parameters may name the same test card, and then mean one saved card.
      const isSame = attached && settings?.default_payment_method === method;
      const invoiceSettings = isSame ? { ...settings, default_payment_method: attached.id } : settings;
      const customer = world.store.put(
        'customer',
        changed(world, empty, { ...fields, invoice_settings: invoiceSettings }),
      );
      world.emit('customer.created', customer);
      return customer;
    },
  ),
  operation('POST', `${path}/:id`, z.strictObject(writable), (world, fields, at) => {
    const before = inPath(world, 'customer', at);
    const after = world.store.put('customer', changed(world, before, fields));
    world.emit('customer.updated', after, before);
    return after;
  }),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const customer = inPath(world, 'customer', at);
    for (const subscription of world.store.all('subscription')) {
      if (subscription.customer === customer.id && subscription.ended_at === null)
        endSubscription(world, subscription.id, { reason: 'cancellation_requested' });
    }
    for (const method of world.store.all('payment_method')) {
      if (method.customer === customer.id)
        world.store.change('payment_method', method.id, { customer: null });
    }
    world.emit('customer.deleted', customer);
    world.store.delete('customer', customer.id);
    return deletion('customer', customer.id);
  }),
  operation('GET', `${path}/:id`, z.strictObject({ expand }), (world, _, at) => {
    const id = at['id'] ?? '';
    if (world.store.deletedOne(id)?.object === 'customer') return deletion('customer', id);
    return inPath(world, 'customer', at);
  }),
  operation(
    'GET',
    `${path}/:id/payment_methods`,
    z.strictObject({
      ending_before: text.optional(),
      expand,
      limit: integer.optional(),
      starting_after: text.optional(),
      type: z.enum(['card']).optional(),
    }),
    (world, { limit, starting_after, ending_before }, at) => {
      const customer = inPath(world, 'customer', at);
      const methods = world.store.all('payment_method').filter((method) => method.customer === customer.id);
      return page(`${path}/${customer.id}/payment_methods`, methods, {
        limit,
        starting_after,
        ending_before,
      });
    },
  ),
  listing(
    'customer',
    path,
    { created: range.optional(), email: text.optional(), test_clock: text.optional() },
    (customer, { created, email, test_clock: clock }) =>
      isWithin(customer.created, created) &&
      (email === undefined || customer.email === email) &&
      (customer.test_clock ?? undefined) === clock,
  ),
];
