import { z } from 'zod';

import { invalid } from '../errors.js';
import { integer, text } from '../http/form.js';
import { existing } from '../http/operation.js';
import { randomText } from '../store/ids.js';
import type { CreditNote, Invoice } from '../store/stored.js';
import type { World } from '../world.js';

type CreditedLine = CreditNote['lines']['data'][number];

/** What a note may be about: lines of its invoice, in whole or in part, and others. */
export const creditedLines = z.array(
  z.strictObject({
    amount: integer.optional(),
    description: text.optional(),
    invoice_line_item: text.optional(),
    quantity: integer.optional(),
    type: z.enum(['custom_line_item', 'invoice_line_item']),
    unit_amount: integer.optional(),
  }),
);

type Wanted = z.infer<typeof creditedLines>[number];

/** The lines of a note; their amounts are what is really paid back of them, discounts taken off. */
export function linesOf(
  world: World,
  invoice: Invoice,
  {
    lines,
    amount,
    memo,
  }: { lines?: Wanted[] | undefined; amount?: number | undefined; memo?: string | undefined },
): CreditedLine[] {
  if ((lines === undefined) === (amount === undefined))
    throw invalid('You must specify exactly one of `amount` or `lines`.', 'amount');
  if (lines)
    return lines.map((wanted, at) =>
      (wanted.type === 'invoice_line_item' ? ofInvoice : custom)(world, { invoice, wanted, at }),
    );
  return [line({ amount: amount ?? 0, description: memo ?? 'Credit', type: 'custom_line_item' })];
}

interface Place {
  invoice: Invoice;
  wanted: Wanted;
  at: number;
}

function ofInvoice(world: World, { invoice, wanted, at }: Place): CreditedLine {
  const param = `lines[${at}][invoice_line_item]`;
  const { invoice_line_item: id = '', amount, quantity } = wanted;
  const found = existing(world, 'invoice', invoice.id).lines.data.find((one) => one.id === id);
  if (!found) throw invalid(`No such invoice line item: '${id}'`, param, 'resource_missing');
  const off = (found.discount_amounts ?? []).reduce((sum, each) => sum + each.amount, 0);
  const whole = found.amount - off;
  const left = whole - creditedOf(world, invoice, id);
  const wantedAmount =
    amount ?? (quantity === undefined ? left : Math.round((whole * quantity) / (found.quantity ?? 1)));
  if (wantedAmount < 1 || wantedAmount > left)
    throw invalid(
      `The amount of the credit note line item may not be greater than what is left of the invoice line item (${left}).`,
      `lines[${at}][amount]`,
    );
  return line({
    amount: wantedAmount,
    description: found.description ?? 'Credit',
    invoice_line_item: id,
    quantity: quantity ?? found.quantity,
    type: 'invoice_line_item',
  });
}

function custom(_world: World, { wanted, at }: Place): CreditedLine {
  const { unit_amount: unit, quantity = 1, description } = wanted;
  if (unit === undefined)
    throw invalid(
      `Missing required param: lines[${at}][unit_amount].`,
      `lines[${at}][unit_amount]`,
      'parameter_missing',
    );
  if (description === undefined)
    throw invalid(
      `Missing required param: lines[${at}][description].`,
      `lines[${at}][description]`,
      'parameter_missing',
    );
  if (unit * quantity < 1)
    throw invalid(
      'This value must be greater than or equal to 1.',
      `lines[${at}][unit_amount]`,
      'parameter_invalid_integer',
    );
  return line({ amount: unit * quantity, unit, quantity, description, type: 'custom_line_item' });
}

function creditedOf(world: World, invoice: Invoice, id: string): number {
  return world.store
    .all('credit_note')
    .filter((note) => note.invoice === invoice.id && note.status !== 'void')
    .flatMap((note) => note.lines.data)
    .filter((one) => one.invoice_line_item === id)
    .reduce((sum, { amount }) => sum + amount, 0);
}

function line({
  amount,
  unit = amount,
  quantity = 1,
  ...fields
}: { unit?: number; quantity?: number | null } & Pick<CreditedLine, 'amount' | 'description' | 'type'> &
  Partial<Pick<CreditedLine, 'invoice_line_item'>>): CreditedLine {
  return {
    id: `cnli_1${randomText(23)}`,
    object: 'credit_note_line_item',
    amount,
    discount_amount: 0,
    discount_amounts: [],
    livemode: false,
    metadata: {},
    pretax_credit_amounts: [],
    quantity,
    tax_rates: [],
    taxes: [],
    unit_amount: unit,
    unit_amount_decimal: String(unit),
    ...fields,
  };
}
