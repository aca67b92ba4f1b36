import { reductions } from '../catalogue/discount.js';
import { taxesOn } from '../catalogue/tax-rate.js';
import { newId, randomText } from '../store/ids.js';
import type { Discount, Invoice, InvoiceItem, InvoiceLine, Price, TaxRate } from '../store/stored.js';
import type { World } from '../world.js';
import { partOf } from './money.js';

/** A line of an invoice before the invoice's discounts are spread over its lines. */
export interface LineDraft {
  amount: number;
  currency: string;
  description: string | null;
  period: { start: number; end: number };
  quantity: number;
  price: Price | null;
  unitAmount?: number | undefined;
  parent: NonNullable<InvoiceLine['parent']>;
  subscription: string | null;
  isDiscountable: boolean;
  metadata: Readonly<Record<string, string>>;
}

export interface Totals {
  lines: InvoiceLine[];
  discountAmounts: { discount: string; amount: number }[];
}

export function pricing(price: Price | null, unitAmount: number | undefined): InvoiceLine['pricing'] {
  if (!price)
    return unitAmount === undefined
      ? null
      : { type: 'price_details', unit_amount_decimal: String(unitAmount) };
  return {
    price_details: { price: price.id, product: String(price.product) },
    type: 'price_details',
    unit_amount_decimal: price.unit_amount_decimal,
  };
}

/**
 * Lines with the invoice's discounts and taxes. A discount is reckoned once on the sum of what it may touch, and spread so that
 * the lines' shares add up to it exactly.
 */
export function totals(
  world: World,
  invoice: string | null,
  drafts: readonly LineDraft[],
  discounts: readonly Discount[],
  rates: readonly TaxRate[] = [],
): Totals {
  const base = sum(drafts.filter(isTouched).map(({ amount }) => amount));
  const discountAmounts = reductions(world, discounts, Math.max(0, base)).filter(({ amount }) => amount > 0);
  const shares = discountAmounts.map(({ discount, amount }) => ({
    discount,
    parts: spread(amount, drafts, base),
  }));
  const lines = drafts.map((draft, index): InvoiceLine => {
    const taken = shares
      .map(({ discount, parts }) => ({ discount, amount: parts[index] ?? 0 }))
      .filter(({ amount }) => amount !== 0);
    return {
      id: newLineId(),
      object: 'line_item',
      amount: draft.amount,
      currency: draft.currency,
      description: draft.description,
      discount_amounts: taken,
      discountable: draft.isDiscountable,
      discounts: [],
      invoice,
      livemode: false,
      metadata: draft.metadata,
      parent: draft.parent,
      period: draft.period,
      pretax_credit_amounts: [],
      pricing: pricing(draft.price, draft.unitAmount),
      quantity: draft.quantity,
      quantity_decimal: String(draft.quantity),
      subscription: draft.subscription,
      subtotal: draft.amount,
      taxes: taxesOn(draft.amount - sum(taken.map(({ amount }) => amount)), rates),
    };
  });
  return { lines, discountAmounts };
}

type Sums = Pick<
  Invoice,
  'subtotal' | 'subtotal_excluding_tax' | 'total' | 'total_excluding_tax' | 'total_taxes'
>;

/** What lines come to. */
export function sumsOf(lines: readonly InvoiceLine[]): Sums {
  const subtotal = sum(lines.map(({ amount }) => amount));
  const taxes = lines.flatMap(({ taxes: of }) => of ?? []);
  const taxOf = (behavior: string) =>
    sum(taxes.filter(({ tax_behavior: how }) => how === behavior).map(({ amount }) => amount));
  const afterDiscounts = sum(lines.map(netOf));
  const rates = new Set(taxes.map(({ tax_rate_details: details }) => details?.tax_rate));
  const ofRates = [...rates].map((rate) =>
    taxes.filter(({ tax_rate_details: details }) => details?.tax_rate === rate),
  );
  return {
    subtotal,
    subtotal_excluding_tax: subtotal - taxOf('inclusive'),
    total: afterDiscounts + taxOf('exclusive'),
    total_excluding_tax: afterDiscounts - taxOf('inclusive'),
    total_taxes: ofRates.map((of) => ({
      ...of[0]!,
      amount: sum(of.map(({ amount }) => amount)),
      taxable_amount: sum(of.map(({ taxable_amount: amount }) => amount ?? 0)),
    })),
  };
}

const isTouched = ({ isDiscountable, amount }: LineDraft): boolean => isDiscountable && amount > 0;

function spread(amount: number, drafts: readonly LineDraft[], base: number): number[] {
  let leftBase = base;
  let left = amount;
  return drafts.map((draft) => {
    if (!isTouched(draft)) return 0;
    const part = partOf(left, draft.amount, leftBase);
    left -= part;
    leftBase -= draft.amount;
    return part;
  });
}

const newLineId = (): string => `il_1${randomText(23)}`;

/** What a line came to after its discounts. */
export function netOf(line: InvoiceLine): number {
  return line.amount - sum((line.discount_amounts ?? []).map(({ amount }) => amount));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A pending item as the line it becomes. */
export function itemLine(world: World, item: InvoiceItem): LineDraft {
  const details = item.parent?.subscription_details;
  const priceId = item.pricing?.price_details?.price;
  const price = priceId === undefined ? null : (world.store.get('price', String(priceId)) ?? null);
  const credited = item.proration_details?.credited_items?.invoice_line_item_details ?? null;
  const isOfSubscription = item.proration && details?.subscription_item !== undefined;
  const proration = { proration: item.proration, proration_details: { credited_items: credited } };
  return {
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    period: item.period,
    quantity: item.quantity,
    price,
    unitAmount: price ? undefined : Number(item.pricing?.unit_amount_decimal ?? item.amount),
    parent: isOfSubscription
      ? {
          invoice_item_details: null,
          subscription_item_details: {
            ...proration,
            invoice_item: item.id,
            subscription: details.subscription,
            subscription_item: details.subscription_item ?? '',
          },
          type: 'subscription_item_details',
        }
      : {
          invoice_item_details: {
            ...proration,
            invoice_item: item.id,
            subscription: details?.subscription ?? null,
          },
          subscription_item_details: null,
          type: 'invoice_item_details',
        },
    subscription: details?.subscription ?? null,
    isDiscountable: item.discountable,
    metadata: item.metadata ?? {},
  };
}

export interface NewItem {
  customer: string;
  currency: string;
  amount: number;
  quantity?: number | undefined;
  unitAmount?: number | undefined;
  price?: Price | undefined;
  description?: string | null | undefined;
  isDiscountable?: boolean | undefined;
  period?: { start: number; end: number } | undefined;
  metadata?: Record<string, string> | undefined;
  subscription?: { id: string; item?: string } | undefined;
  invoice?: string | undefined;
  proration?: { credited: { invoice: string; invoice_line_items: string[] } | null } | undefined;
}

/** A charge or credit that waits for the customer's next invoice, or goes onto the draft that it names. */
export function makeItem(world: World, wanted: NewItem): InvoiceItem {
  const now = world.nowFor(wanted.customer);
  const { credited } = wanted.proration ?? {};
  const item = world.store.put('invoiceitem', {
    id: newId('invoiceitem'),
    object: 'invoiceitem',
    amount: wanted.amount,
    currency: wanted.currency,
    customer: wanted.customer,
    customer_account: null,
    date: now,
    description: wanted.description ?? null,
    discountable: wanted.isDiscountable ?? true,
    discounts: [],
    invoice: wanted.invoice ?? null,
    livemode: false,
    metadata: wanted.metadata ?? {},
    net_amount: wanted.amount,
    parent: wanted.subscription
      ? {
          subscription_details: {
            subscription: wanted.subscription.id,
            ...(wanted.subscription.item !== undefined && { subscription_item: wanted.subscription.item }),
          },
          type: 'subscription_details',
        }
      : null,
    period: wanted.period ?? { start: now, end: now },
    pricing: pricing(wanted.price ?? null, wanted.unitAmount ?? wanted.amount),
    proration: wanted.proration !== undefined,
    ...(wanted.proration && {
      proration_details: {
        credited_items: credited ? { invoice_line_item_details: credited, type: 'invoice_line_items' } : null,
        discount_amounts: [],
      },
    }),
    quantity: wanted.quantity ?? 1,
    quantity_decimal: String(wanted.quantity ?? 1),
    tax_rates: [],
    test_clock: world.clockOf(wanted.customer),
  });
  world.emit('invoiceitem.created', item);
  return item;
}
