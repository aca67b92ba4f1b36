import { invalid } from '../errors.js';
import type { Invoice, InvoicePayment, Price } from '../store/stored.js';
import type { World } from '../world.js';

type Json = Record<string, unknown>;

/** Fields that are absent unless they are asked for by name. */
const included: Record<string, Record<string, (world: World, resource: never) => unknown>> = {
  invoice: {
    payments: (world, invoice: Invoice) => {
      const data = world.store
        .all('invoice_payment')
        .filter((payment: InvoicePayment) => payment.invoice === invoice.id);
      return { object: 'list', data, has_more: false, url: `/v1/invoice_payments?invoice=${invoice.id}` };
    },
    confirmation_secret: (world, invoice: Invoice) => {
      const payment = world.store.all('invoice_payment').find(({ invoice: of }) => of === invoice.id);
      const intent = world.store.get('payment_intent', String(payment?.payment.payment_intent));
      return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null;
    },
  },
  charge: {
    refunds: (world, { id }: { id: string }) => {
      const data = world.store
        .all('refund')
        .filter((refund) => refund.charge === id)
        .toReversed();
      return { object: 'list', data, has_more: false, url: `/v1/charges/${id}/refunds` };
    },
  },
  customer: {
    subscriptions: (world, customer: { id: string }) => {
      const data = world.store
        .all('subscription')
        .filter(
          (one) =>
            one.customer === customer.id && one.status !== 'canceled' && one.status !== 'incomplete_expired',
        )
        .toReversed();
      return { object: 'list', data, has_more: false, url: `/v1/customers/${customer.id}/subscriptions` };
    },
  },
  'checkout.session': {
    line_items: (world, { id }: { id: string }) =>
      world.store.get('checkout.session', id)?.line_items ?? null,
  },
};

/** An answer as it is sent: a copy in which what was asked for in `expand[]` is there whole. */
export function expanded(world: World, answer: object, paths: readonly string[]): object {
  const copy = fresh(world, answer) as Json;
  for (const path of paths) {
    const parts = path.split('.');
    if (parts.length > 4)
      throw invalid(`You cannot expand more than 4 levels of a property (${path}).`, 'expand');
    follow(world, copy, parts, path);
  }
  return copy;
}

function follow(world: World, holder: unknown, [part = '', ...rest]: readonly string[], path: string): void {
  if (Array.isArray(holder)) {
    for (const one of holder) follow(world, one, [part, ...rest], path);
    return;
  }
  const object = holder as Json;
  const include = included[String(object['object'])]?.[part];
  if (include) object[part] ??= fresh(world, include(world, object as never));
  if (!(part in object)) throw invalid(`This property cannot be expanded (${path}).`, 'expand');
  const value = object[part];
  const whole = Array.isArray(value) ? value.map((one) => wholeOf(world, one)) : wholeOf(world, value);
  object[part] = whole;
  if (rest.length === 0) {
    if (typeof whole === 'string') throw invalid(`This property cannot be expanded (${path}).`, 'expand');
    return;
  }
  if (whole !== null && typeof whole === 'object') follow(world, whole, rest, path);
}

function wholeOf(world: World, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const found = world.store.find(value);
  if (found) return fresh(world, found);
  const gone = world.store.deletedOne(value);
  return gone ? { id: value, object: gone.object, deleted: true } : value;
}

/** A copy whose prices are as they are now, as subscriptions hold them whole, and without what is sent only when asked for. */
function fresh(world: World, resource: unknown): unknown {
  return JSON.parse(JSON.stringify(resource), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const { object, price, line_items: hidden, ...others } = value as Json;
    if (object === 'checkout.session' && hidden) return { object, ...others };
    if (object !== 'subscription_item' || !price) return value;
    const now = world.store.get('price', (price as Price).id);
    return now ? { ...value, price: now } : value;
  });
}
