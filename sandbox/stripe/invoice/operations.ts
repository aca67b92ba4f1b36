import { z } from 'zod';

import { wantedDiscounts } from '../catalogue/discount.js';
import { methodFor } from '../customer/payment-method.js';
import { invalid } from '../errors.js';
import {
  changedMetadata,
  expand,
  flag,
  integer,
  isWithin,
  metadata,
  pageParameters,
  range,
  text,
  unsettable,
  unsettableText,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, existing, given, inPath, operation, page } from '../http/operation.js';
import { KeptChanges } from '../store/store.js';
import type { Invoice } from '../store/stored.js';
import { onInvoiceGivenUp } from '../subscription/outcome.js';
import { discounts } from '../subscription/parameters.js';
import type { World } from '../world.js';
import { finalizeInvoice, settle } from './finalize.js';
import { makeInvoice, pendingItems, subscriptionOf } from './make.js';
import { payInvoice } from './pay.js';
import { previewOperation } from './preview.js';
import { markUncollectible, voidInvoice } from './void.js';

const path = '/v1/invoices';

const writable = {
  auto_advance: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: integer.optional(),
  default_payment_method: text.optional(),
  description: unsettableText.optional(),
  due_date: integer.optional(),
  expand,
  footer: unsettableText.optional(),
  metadata: metadata.optional(),
};

export const invoiceOperations = [
  previewOperation,
  operation(
    'POST',
    path,
    z.strictObject({
      ...writable,
      currency: text.optional(),
      customer: text,
      discounts: discounts.optional(),
      pending_invoice_items_behavior: z.enum(['exclude', 'include']).optional(),
      subscription: text.optional(),
    }),
    (world, wanted) => {
      const customer = existing(world, 'customer', wanted.customer, 'customer');
      const subscription =
        wanted.subscription === undefined
          ? undefined
          : existing(world, 'subscription', wanted.subscription, 'subscription');
      const pending = world.store
        .all('invoiceitem')
        .filter((item) => item.customer === customer.id && item.invoice === null);
      const currency = (
        wanted.currency ??
        subscription?.currency ??
        pending[0]?.currency ??
        customer.currency ??
        'usd'
      ).toLowerCase();
      const takes = subscription !== undefined || wanted.pending_invoice_items_behavior === 'include';
      const items = takes ? pendingItems(world, customer.id, currency, subscription?.id) : [];
      if (subscription && items.length === 0)
        throw invalid(
          `Nothing to invoice for subscription ${subscription.id}`,
          undefined,
          'invoice_no_subscription_line_items',
        );
      const now = world.nowFor(customer.id);
      const invoice = makeInvoice(world, {
        customer,
        subscription,
        reason: subscription ? 'subscription_update' : 'manual',
        currency,
        lines: [],
        items,
        discounts: [
          ...wantedDiscounts(world, wanted.discounts ?? [], { customer: customer.id }),
          ...(subscription?.discounts.map(String) ?? []),
        ],
        period: { start: now, end: now },
        collection: wanted.collection_method,
        daysUntilDue: wanted.days_until_due,
        dueDate: wanted.due_date,
        advances: wanted.auto_advance ?? false,
        defaultPaymentMethod:
          wanted.default_payment_method === undefined
            ? null
            : methodFor(world, wanted.default_payment_method, customer.id, 'default_payment_method').id,
        description: wanted.description,
        footer: wanted.footer,
        metadata: changedMetadata({}, wanted.metadata),
      });
      if (subscription) world.store.change('subscription', subscription.id, { latest_invoice: invoice.id });
      return invoice;
    },
  ),
  operation('POST', `${path}/:id`, z.strictObject(writable), (world, wanted, at) => {
    const before = inPath(world, 'invoice', at);
    const {
      metadata: data,
      days_until_due: days,
      auto_advance: advances,
      default_payment_method: method,
      ...fields
    } = wanted;
    const changes = Object.keys(given({ ...fields, days }));
    if (before.status !== 'draft' && changes.some((name) => name !== 'footer'))
      throw invalid(`Finalized invoices can't be updated in this way`, changes[0], 'invoice_not_editable');
    const now = world.nowFor(String(before.customer));
    const after = world.store.change('invoice', before.id, {
      ...given(fields),
      ...(days !== undefined && { due_date: now + days * 86_400 }),
      ...(method !== undefined && {
        default_payment_method: methodFor(world, method, String(before.customer), 'default_payment_method')
          .id,
      }),
      ...(advances !== undefined && advancing(world, before, advances, now)),
      metadata: changedMetadata(before.metadata, data),
    });
    world.emit('invoice.updated', after, before);
    return after;
  }),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const invoice = inPath(world, 'invoice', at);
    if (invoice.status !== 'draft' || subscriptionOf(invoice) !== undefined)
      throw invalid(
        `You can only delete draft invoices that are not of a subscription.`,
        undefined,
        'invoice_not_editable',
      );
    for (const item of world.store.all('invoiceitem')) {
      if (item.invoice !== invoice.id) continue;
      world.store.change('invoiceitem', item.id, { invoice: null });
    }
    world.store.delete('invoice', invoice.id);
    world.emit('invoice.deleted', invoice);
    return deletion('invoice', invoice.id);
  }),
  operation(
    'POST',
    `${path}/:id/finalize`,
    z.strictObject({ auto_advance: flag.optional(), expand }),
    (world, wanted, at) => finalizeInvoice(world, inPath(world, 'invoice', at).id, wanted.auto_advance),
  ),
  operation(
    'POST',
    `${path}/:id/pay`,
    z.strictObject({
      expand,
      off_session: flag.optional(),
      paid_out_of_band: flag.optional(),
      payment_method: text.optional(),
    }),
    (world, wanted, at) => {
      const before = inPath(world, 'invoice', at);
      if (before.status === 'paid')
        throw invalid('Invoice is already paid', undefined, 'invoice_already_paid');
      if (before.status === 'void')
        throw invalid('This invoice is void and can not be paid.', undefined, 'status_transition_invalid');
      const open = before.status === 'draft' ? finalizeInvoice(world, before.id) : before;
      if (open.status === 'paid') return open;
      if (wanted.paid_out_of_band)
        return settle(world, open, { amount_paid: 0, amount_paid_off_stripe: open.amount_due });
      const method =
        wanted.payment_method === undefined
          ? undefined
          : methodFor(world, wanted.payment_method, String(open.customer), 'payment_method');
      const result = payInvoice(world, open, { method, isAutomatic: false });
      // The card said no: the attempt stays in the books.
      if (!result.isPaid) throw new KeptChanges(result.error);
      return result.invoice;
    },
  ),
  operation('POST', `${path}/:id/send`, z.strictObject({ expand }), (world, _, at) => {
    const before = inPath(world, 'invoice', at);
    if (before.collection_method !== 'send_invoice')
      throw invalid("You can only manually send an invoice if its collection method is 'send_invoice'.");
    const open = before.status === 'draft' ? finalizeInvoice(world, before.id) : before;
    world.emit('invoice.sent', open);
    return open;
  }),
  operation('POST', `${path}/:id/void`, z.strictObject({ expand }), (world, _, at) =>
    givenUp(world, voidInvoice(world, inPath(world, 'invoice', at))),
  ),
  operation('POST', `${path}/:id/mark_uncollectible`, z.strictObject({ expand }), (world, _, at) =>
    givenUp(world, markUncollectible(world, inPath(world, 'invoice', at))),
  ),
  retrieval('invoice', path),
  operation('GET', `${path}/:id/lines`, z.strictObject(pageParameters), (world, pages, at) => {
    const invoice = inPath(world, 'invoice', at);
    return page(`${path}/${invoice.id}/lines`, invoice.lines.data.toReversed(), pages);
  }),
  listing(
    'invoice',
    path,
    {
      collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
      created: range.optional(),
      customer: text.optional(),
      due_date: range.optional(),
      status: unsettable(z.enum(['draft', 'open', 'paid', 'uncollectible', 'void'])).optional(),
      subscription: text.optional(),
    },
    (invoice, wanted) =>
      (wanted.collection_method === undefined || invoice.collection_method === wanted.collection_method) &&
      isWithin(invoice.created, wanted.created) &&
      isWithin(invoice.due_date, wanted.due_date) &&
      (wanted.customer === undefined || invoice.customer === wanted.customer) &&
      (wanted.status == null || invoice.status === wanted.status) &&
      (wanted.subscription === undefined || subscriptionOf(invoice) === wanted.subscription),
  ),
  listing(
    'invoice_payment',
    '/v1/invoice_payments',
    {
      invoice: text.optional(),
      payment: z.strictObject({ payment_intent: text, type: z.literal('payment_intent') }).optional(),
      status: z.enum(['canceled', 'open', 'paid']).optional(),
    },
    (payment, { invoice, payment: by, status }) =>
      (invoice === undefined || payment.invoice === invoice) &&
      (by === undefined || payment.payment.payment_intent === by.payment_intent) &&
      (status === undefined || payment.status === status),
  ),
];

function advancing(world: World, invoice: Invoice, advances: boolean, now: number): Partial<Invoice> {
  const isCharged = invoice.collection_method === 'charge_automatically';
  if (invoice.status !== 'draft')
    return { auto_advance: advances, next_payment_attempt: advances && isCharged ? now : null };
  const at = advances ? now + world.settings.draftSeconds : null;
  return {
    auto_advance: advances,
    automatically_finalizes_at: at,
    next_payment_attempt: isCharged ? at : null,
  };
}

function givenUp(world: World, invoice: Invoice): Invoice {
  onInvoiceGivenUp(world, invoice);
  return invoice;
}
