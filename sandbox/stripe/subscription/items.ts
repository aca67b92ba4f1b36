import { recurringPrice, type RecurringPrice } from '../catalogue/price.js';
import { invalid } from '../errors.js';
import { changedMetadata } from '../http/form.js';
import type { LineDraft } from '../invoice/lines.js';
import { moneyText } from '../invoice/money.js';
import { randomText } from '../store/ids.js';
import type { Subscription, SubscriptionItem } from '../store/stored.js';
import { isSameRhythm, type Period, type Rhythm } from '../time/cycle.js';
import type { World } from '../world.js';

/** An item as a parameter asks for it: with an id it changes one that is there. */
export interface WantedItem {
  id?: string | undefined;
  price?: string | undefined;
  quantity?: number | undefined;
  deleted?: boolean | undefined;
  metadata?: Record<string, string> | null | undefined;
}

export function newItem(
  subscription: string,
  price: RecurringPrice,
  quantity: number,
  period: Period,
  now: number,
  metadata: Record<string, string> = {},
): SubscriptionItem {
  return {
    id: `si_${randomText(14)}`,
    object: 'subscription_item',
    billing_thresholds: null,
    created: now,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata,
    plan: planOf(price),
    price,
    quantity,
    subscription,
    tax_rates: [],
  };
}

/** The older name of a recurring price, which items still show. */
export function planOf(price: RecurringPrice): SubscriptionItem['plan'] {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring.interval,
    interval_count: price.recurring.interval_count,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: price.product as string,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}

export function rhythmOf(item: SubscriptionItem): Rhythm {
  const { recurring } = item.price;
  if (!recurring) throw new Error(`the item ${item.id} has no recurring price`);
  return recurring;
}

/** How often a subscription is charged; all its items agree. */
export function rhythmOfAll(items: readonly SubscriptionItem[]): Rhythm {
  const [first] = items;
  if (!first) throw new Error('a subscription has no items');
  return rhythmOf(first);
}

/** Checked prices of the items that a parameter asks for, whose rhythm and currency have to agree. */
export function checkedPrices(
  world: World,
  wanted: readonly WantedItem[],
  currency?: string,
): RecurringPrice[] {
  const prices = wanted.map(({ price }, index) => {
    if (price === undefined)
      throw invalid(
        `Missing required param: items[${index}][price].`,
        `items[${index}][price]`,
        'parameter_missing',
      );
    return recurringPrice(world, price, `items[${index}][price]`);
  });
  const [first] = prices;
  for (const [index, price] of prices.entries()) {
    if (first && !isSameRhythm(first.recurring, price.recurring))
      throw invalid(
        'Currently, all items of a subscription of this stand-in must have the same billing interval.',
        `items[${index}][price]`,
      );
    const expected = currency ?? first?.currency;
    if (price.currency !== expected)
      throw invalid(
        `The price specified supports currencies of \`${price.currency}\`. This doesn't match the expected currency: \`${expected}\`.`,
        `items[${index}][price]`,
      );
  }
  return prices;
}

export function checkedQuantity(quantity: number | undefined, index: number): number {
  if (quantity !== undefined && quantity < 0)
    throw invalid(
      'This value must be greater than or equal to 0.',
      `items[${index}][quantity]`,
      'parameter_invalid_integer',
    );
  return quantity ?? 1;
}

/** A subscription's items after a change, on which nothing has been charged yet. */
export function changedItems(
  world: World,
  subscription: Subscription,
  wanted: readonly WantedItem[],
  now: number,
): SubscriptionItem[] {
  const items = [...subscription.items.data];
  for (const [index, change] of wanted.entries()) {
    const quantity = checkedQuantity(change.quantity, index);
    if (change.id === undefined) {
      const [price] = checkedPrices(world, [change], subscription.currency);
      if (!price) continue;
      if (items.some((item) => item.price.id === price.id))
        throw invalid(
          `Cannot add multiple subscription items with the same plan: \`${price.id}\``,
          `items[${index}][price]`,
        );
      const period = { start: now, end: items[0]?.current_period_end ?? now };
      items.push(
        newItem(subscription.id, price, quantity, period, now, changedMetadata({}, change.metadata)),
      );
      continue;
    }
    const at = items.findIndex(({ id }) => id === change.id);
    const before = items[at];
    if (!before)
      throw invalid(
        `Invalid subscription item: ${change.id} is not an item of ${subscription.id}.`,
        `items[${index}][id]`,
        'resource_missing',
      );
    if (change.deleted) {
      items.splice(at, 1);
      continue;
    }
    const [price] =
      change.price === undefined
        ? []
        : checkedPrices(world, [{ price: change.price }], subscription.currency);
    items[at] = {
      ...before,
      ...(price && { price, plan: planOf(price) }),
      quantity: change.quantity ?? (price ? (before.quantity ?? 1) : before.quantity),
      metadata: changedMetadata(before.metadata, change.metadata),
    } as SubscriptionItem;
  }
  if (items.length === 0) throw invalid('A subscription must have at least one active plan.', 'items');
  const rhythm = rhythmOfAll(items);
  if (!items.every((item) => isSameRhythm(rhythmOf(item), rhythm)))
    throw invalid(
      'Currently, all items of a subscription of this stand-in must have the same billing interval.',
      'items',
    );
  return items;
}

export function withPeriod(items: readonly SubscriptionItem[], period: Period): SubscriptionItem[] {
  return items.map((item) => ({
    ...item,
    current_period_start: period.start,
    current_period_end: period.end,
  }));
}

export function grossOf(item: SubscriptionItem): number {
  return (item.price.unit_amount ?? 0) * (item.quantity ?? 1);
}

export function productName(world: World, item: SubscriptionItem): string {
  const id = String(item.price.product);
  const product = world.store.get('product', id) ?? world.store.deletedOne(id);
  return product && 'name' in product ? String(product.name) : id;
}

/** What an item costs for a period, or nothing while it is on trial. */
export function periodLine(
  world: World,
  item: SubscriptionItem,
  period: Period,
  isTrial: boolean,
  amount = grossOf(item),
): LineDraft {
  const { recurring, currency, unit_amount: unit } = item.price;
  const every =
    recurring && recurring.interval_count > 1
      ? `every ${recurring.interval_count} ${recurring.interval}s`
      : `/ ${recurring?.interval}`;
  const name = productName(world, item);
  return {
    amount: isTrial ? 0 : amount,
    currency,
    description: isTrial
      ? `Trial period for ${name}`
      : `${item.quantity ?? 1} × ${name} (at ${moneyText(unit ?? 0, currency)} ${every})`,
    period,
    quantity: item.quantity ?? 1,
    price: item.price,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    subscription: item.subscription,
    isDiscountable: true,
    metadata: {},
  };
}
