import { methodFor } from '../customer/payment-method.js';
import { existing } from '../http/operation.js';
import { payInvoice } from '../invoice/pay.js';
import { KeptChanges } from '../store/store.js';
import type { World } from '../world.js';

/** A customer pays an invoice on its page, and is there to confirm what the card asks for. */
export function payOnPage(world: World, id: string, card: string): void {
  const invoice = existing(world, 'invoice', id);
  if (invoice.status !== 'open') return;
  const method = methodFor(world, card, String(invoice.customer), 'card');
  const result = payInvoice(world, invoice, { method, isAutomatic: false, isConfirmed: true });
  if (!result.isPaid) throw new KeptChanges(result.error);
}

/** From now on this is how the customer's invoices are paid; their subscriptions do not say otherwise any more. */
export function methodForPage(world: World, customerId: string, method: string): void {
  const before = existing(world, 'customer', customerId);
  const after = world.store.change('customer', customerId, {
    invoice_settings: { ...before.invoice_settings, default_payment_method: method },
  });
  world.emit('customer.updated', after, before);
  for (const subscription of world.store.all('subscription')) {
    if (subscription.customer !== customerId || subscription.ended_at !== null) continue;
    const changed = world.store.change('subscription', subscription.id, { default_payment_method: null });
    world.emit('customer.subscription.updated', changed, subscription);
  }
}
