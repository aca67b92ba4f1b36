import { z } from 'zod';

import { discountsAt } from '../catalogue/discount.js';
import { invalid } from '../errors.js';
import {
  changedMetadata,
  expand,
  flag,
  integer,
  isWithin,
  metadata,
  range,
  text,
  unsettableText,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, existing, given, inPath, operation } from '../http/operation.js';
import type { Invoice, InvoiceItem } from '../store/stored.js';
import type { World } from '../world.js';
import { itemLine, makeItem, sumsOf, totals } from './lines.js';
import { due } from './make.js';

const path = '/v1/invoiceitems';

const period = z.strictObject({ end: integer, start: integer });

export const invoiceItemOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      amount: integer.optional(),
      currency: text.optional(),
      customer: text,
      description: unsettableText.optional(),
      discountable: flag.optional(),
      expand,
      invoice: text.optional(),
      metadata: metadata.optional(),
      period: period.optional(),
      pricing: z.strictObject({ price: text }).optional(),
      quantity: integer.optional(),
      subscription: text.optional(),
    }),
    (world, wanted) => {
      const customer = existing(world, 'customer', wanted.customer, 'customer');
      const price = wanted.pricing && existing(world, 'price', wanted.pricing.price, 'pricing[price]');
      if ((wanted.amount === undefined) === (price === undefined))
        throw invalid('One of `amount` or `pricing` must be provided.', 'amount', 'parameter_missing');
      const subscription =
        wanted.subscription === undefined
          ? undefined
          : existing(world, 'subscription', wanted.subscription, 'subscription');
      const draft =
        wanted.invoice === undefined ? undefined : existing(world, 'invoice', wanted.invoice, 'invoice');
      if (draft && draft.status !== 'draft')
        throw invalid('This invoice is no longer editable', 'invoice', 'invoice_not_editable');
      const quantity = wanted.quantity ?? 1;
      const currency = (
        price?.currency ??
        wanted.currency ??
        draft?.currency ??
        customer.currency ??
        'usd'
      ).toLowerCase();
      const item = makeItem(world, {
        customer: customer.id,
        currency,
        amount: wanted.amount ?? (price?.unit_amount ?? 0) * quantity,
        quantity,
        price,
        description: wanted.description,
        isDiscountable: wanted.discountable,
        period: wanted.period,
        metadata: changedMetadata({}, wanted.metadata),
        subscription: subscription && { id: subscription.id },
        invoice: draft?.id,
      });
      if (draft) addLine(world, draft, item);
      return item;
    },
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({
      amount: integer.optional(),
      description: unsettableText.optional(),
      expand,
      metadata: metadata.optional(),
    }),
    (world, { metadata: data, ...fields }, at) => {
      const before = editable(inPath(world, 'invoiceitem', at));
      return world.store.change('invoiceitem', before.id, {
        ...given(fields),
        ...(fields.amount !== undefined && { net_amount: fields.amount }),
        metadata: changedMetadata(before.metadata, data),
      });
    },
  ),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const item = editable(inPath(world, 'invoiceitem', at));
    world.store.delete('invoiceitem', item.id);
    world.emit('invoiceitem.deleted', item);
    return deletion('invoiceitem', item.id);
  }),
  retrieval('invoiceitem', path),
  listing(
    'invoiceitem',
    path,
    {
      created: range.optional(),
      customer: text.optional(),
      invoice: text.optional(),
      pending: flag.optional(),
    },
    (item, { created, customer, invoice, pending }) =>
      isWithin(item.date, created) &&
      (customer === undefined || item.customer === customer) &&
      (invoice === undefined || item.invoice === invoice) &&
      (pending === undefined || (item.invoice === null) === pending),
  ),
];

function editable(item: InvoiceItem): InvoiceItem {
  if (item.invoice !== null)
    throw invalid(
      'This invoice item is attached to an invoice and can no longer be changed by itself.',
      undefined,
      'invoice_not_editable',
    );
  return item;
}

function addLine(world: World, draft: Invoice, item: InvoiceItem): void {
  const discounts = discountsAt(world, draft.discounts.map(String), world.nowFor(String(draft.customer)));
  const items = world.store.all('invoiceitem').filter((one) => one.invoice === draft.id);
  const all = totals(
    world,
    draft.id,
    items.map((one) => itemLine(world, one.id === item.id ? item : one)),
    discounts,
    draft.default_tax_rates,
  );
  const kept = draft.lines.data.filter(
    (line) => line.parent?.subscription_item_details?.invoice_item === null,
  );
  const data = [...all.lines, ...kept];
  const sums = sumsOf(data);
  const after = world.store.change('invoice', draft.id, {
    ...sums,
    total_discount_amounts: all.discountAmounts,
    lines: { ...draft.lines, data },
    ...due(sums.total, draft.starting_balance).amounts,
  });
  world.emit('invoice.updated', after, draft);
}
