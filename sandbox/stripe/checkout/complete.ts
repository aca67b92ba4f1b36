import { makeCustomer } from '../customer/customer.js';
import { methodFor } from '../customer/payment-method.js';
import { invalid } from '../errors.js';
import { existing } from '../http/operation.js';
import { payInvoice } from '../invoice/pay.js';
import type { CheckoutSession } from '../store/stored.js';
import { createSubscription } from '../subscription/create.js';
import type { World } from '../world.js';
import type { SessionPlan } from './session.js';

/** A customer has filled in the hosted page: the subscription begins, if the card pays. A refusal leaves the page open. */
export function completeSession(world: World, id: string, card: string): CheckoutSession {
  const before = existing(world, 'checkout.session', id);
  if (before.status !== 'open') throw invalid(`This Checkout Session is ${before.status}.`);
  const email = before.customer_email ?? 'customer@example.com';
  const customer =
    before.customer === null
      ? makeCustomer(world, { email })
      : existing(world, 'customer', String(before.customer));
  const method = methodFor(world, card, customer.id, 'payment_method');
  const { subscription_data: data = {} } = (world.store.get('checkout_plan', `plan of ${id}`)?.data ??
    {}) as SessionPlan;
  const subscription = createSubscription(world, {
    customer: customer.id,
    items: (before.line_items?.data ?? []).map(({ price, quantity }) => ({
      price: String(price?.id),
      quantity: quantity ?? 1,
    })),
    default_payment_method: method.id,
    discounts: (before.discounts ?? []).map(({ coupon }) => ({ coupon: String(coupon) })),
    payment_behavior: 'default_incomplete',
    ...data,
  });
  const invoice = existing(world, 'invoice', String(subscription.latest_invoice));
  if (invoice.status === 'open') {
    // Whoever fills in the page is there to confirm what their card asks for.
    const result = payInvoice(world, invoice, { method, isAutomatic: false, isConfirmed: true });
    if (!result.isPaid) throw result.error;
  }
  const session = world.store.change('checkout.session', id, {
    status: 'complete',
    payment_status: invoice.amount_due === 0 ? 'no_payment_required' : 'paid',
    customer: customer.id,
    customer_details: {
      address: null,
      business_name: null,
      email: customer.email,
      individual_name: null,
      name: customer.name ?? null,
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
    invoice: invoice.id,
    subscription: subscription.id,
    url: null,
    amount_total: invoice.total,
    total_details: { amount_discount: invoice.subtotal - invoice.total, amount_shipping: 0, amount_tax: 0 },
  });
  world.emit('checkout.session.completed', session);
  return session;
}
