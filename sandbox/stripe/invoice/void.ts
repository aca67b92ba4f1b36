import { invalid } from '../errors.js';
import { cancelIntent } from '../payment/intent.js';
import type { Invoice } from '../store/stored.js';
import type { World } from '../world.js';

/** Voids an open invoice: nobody has to pay it, and its payment intent is cancelled. */
export function voidInvoice(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible')
    throw invalid(
      `You can only pass in open or uncollectible invoices. This invoice isn't open or uncollectible.`,
      undefined,
      'status_transition_invalid',
    );
  const now = world.nowFor(String(invoice.customer));
  stopPayment(world, invoice);
  const after = world.store.change('invoice', invoice.id, {
    status: 'void',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: now },
  });
  world.emit('invoice.voided', after);
  return after;
}

/** Gives up on an open invoice; it may still be paid. */
export function markUncollectible(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open')
    throw invalid(
      `You can only pass in open invoices. This invoice isn't open.`,
      undefined,
      'status_transition_invalid',
    );
  const after = world.store.change('invoice', invoice.id, {
    status: 'uncollectible',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: {
      ...invoice.status_transitions,
      marked_uncollectible_at: world.nowFor(String(invoice.customer)),
    },
  });
  world.emit('invoice.marked_uncollectible', after);
  return after;
}

/** Nobody can pay it any more. */
export function stopPayment(world: World, invoice: Invoice): void {
  for (const payment of world.store.all('invoice_payment')) {
    if (payment.invoice !== invoice.id || payment.status !== 'open') continue;
    cancelIntent(world, String(payment.payment.payment_intent), 'void_invoice');
    world.store.change('invoice_payment', payment.id, {
      status: 'canceled',
      status_transitions: {
        ...payment.status_transitions,
        canceled_at: world.nowFor(String(invoice.customer)),
      },
    });
  }
}
