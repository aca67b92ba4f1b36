import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, expand, integer, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, operation } from '../http/operation.js';
import { newId, randomText } from '../store/ids.js';
import type { CreditNote, Invoice } from '../store/stored.js';
import type { World } from '../world.js';
import { creditedLines, linesOf } from './credited-lines.js';
import { creditOpen, creditPaid, type PaidBack } from './settle-credit.js';

const path = '/v1/credit_notes';

export const creditNoteOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      amount: integer.optional(),
      credit_amount: integer.optional(),
      expand,
      invoice: text,
      lines: creditedLines.optional(),
      memo: text.optional(),
      metadata: metadata.optional(),
      out_of_band_amount: integer.optional(),
      reason: z.enum(['duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory']).optional(),
      refund_amount: integer.optional(),
    }),
    (world, wanted) => {
      const invoice = existing(world, 'invoice', wanted.invoice, 'invoice');
      const lines = linesOf(world, invoice, wanted);
      const amount = lines.reduce((sum, line) => sum + line.amount, 0);
      if (amount < 1)
        throw invalid(
          'This value must be greater than or equal to 1.',
          'amount',
          'parameter_invalid_integer',
        );
      const back: PaidBack = {
        balance: wanted.credit_amount ?? 0,
        refund: wanted.refund_amount ?? 0,
        outside: wanted.out_of_band_amount ?? 0,
      };
      if (invoice.status !== 'open' && invoice.status !== 'paid')
        throw invalid(
          `You can only create credit notes for open or paid invoices. This invoice is ${invoice.status}.`,
          'invoice',
        );
      const isOpen = invoice.status === 'open';
      const refunds = isOpen
        ? creditOpen(world, invoice, amount, back)
        : creditPaid(world, invoice, amount, back);
      const note = makeCreditNote(world, invoice, {
        amount,
        lines,
        memo: wanted.memo ?? null,
        metadata: changedMetadata({}, wanted.metadata),
        reason: wanted.reason ?? null,
        out_of_band_amount: wanted.out_of_band_amount ?? null,
        customer_balance_transaction: back.balance > 0 ? `cbtxn_1${randomText(23)}` : null,
        pre_payment_amount: isOpen ? amount : 0,
        post_payment_amount: isOpen ? 0 : amount,
        type: isOpen ? 'pre_payment' : 'post_payment',
        refunds: refunds.map((each) => ({
          amount_refunded: each.amount,
          payment_record_refund: null,
          refund: each.id,
          type: 'refund' as const,
        })),
      });
      world.emit('credit_note.created', note);
      return note;
    },
  ),
  retrieval('credit_note', path),
  listing(
    'credit_note',
    path,
    { created: range.optional(), customer: text.optional(), invoice: text.optional() },
    (note, { created, customer, invoice }) =>
      isWithin(note.created, created) &&
      (customer === undefined || note.customer === customer) &&
      (invoice === undefined || note.invoice === invoice),
  ),
];

type Varying =
  | 'amount'
  | 'customer_balance_transaction'
  | 'memo'
  | 'metadata'
  | 'out_of_band_amount'
  | 'post_payment_amount'
  | 'pre_payment_amount'
  | 'reason'
  | 'refunds'
  | 'type';

function makeCreditNote(
  world: World,
  invoice: Invoice,
  { lines, ...fields }: Pick<CreditNote, Varying> & { lines: CreditNote['lines']['data'] },
): CreditNote {
  const id = newId('credit_note');
  const { amount } = fields;
  const now = world.nowFor(String(invoice.customer));
  const count = world.store.all('credit_note').filter((note) => note.invoice === invoice.id).length;
  return world.store.put('credit_note', {
    id,
    object: 'credit_note',
    amount_shipping: 0,
    created: now,
    currency: invoice.currency,
    customer: String(invoice.customer),
    customer_account: null,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: now,
    invoice: invoice.id,
    lines: { object: 'list', data: lines, has_more: false, url: `${path}/${id}/lines` },
    livemode: false,
    number: `${invoice.number ?? ''}-CN-${String(count + 1).padStart(2, '0')}`,
    pdf: `${world.pageUrl()}/_sandbox/pages/credit_note/${id}/pdf`,
    pretax_credit_amounts: [],
    shipping_cost: null,
    status: 'issued',
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    total_taxes: [],
    voided_at: null,
    ...fields,
  });
}
