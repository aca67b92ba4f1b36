import { discountsAt, reductions } from '../catalogue/discount.js';
import { makeItem, netOf, sum, type NewItem } from '../invoice/lines.js';
import { dateText, partOf } from '../invoice/money.js';
import type { InvoiceItem, Subscription, SubscriptionItem } from '../store/stored.js';
import type { Period } from '../time/cycle.js';
import type { World } from '../world.js';
import { grossOf, productName } from './items.js';

/** What was asked of a customer for an item and the rest of its period, and by what. */
interface Debit {
  amount: number;
  period: Period;
  credited: { invoice: string; invoice_line_items: string[] } | null;
}

/**
 * What a change of items at a moment is worth, to the second: credit for the unused time of what changes, and a
 * charge for the remaining time of what it becomes. Credits are a part of what was really asked for (Stripe's flexible
 * billing mode), or in classic mode a part of the item's price.
 */
export function prorate(
  world: World,
  before: Subscription,
  after: readonly SubscriptionItem[],
  at: number,
): InvoiceItem[] {
  const old = before.items.data;
  const changed = old.filter((item) => {
    const now = after.find(({ id }) => id === item.id);
    return !now || now.price.id !== item.price.id || now.quantity !== item.quantity;
  });
  const added = after.filter((item) => {
    const was = old.find(({ id }) => id === item.id);
    return !was || changed.includes(was);
  });
  return [
    ...changed.flatMap((item) => credit(world, before, item, at)),
    ...added.flatMap((item) => charge(world, before, item, at, old)),
  ];
}

/** Credit for all the time that is left. */
export function creditAll(world: World, subscription: Subscription, at: number): InvoiceItem[] {
  return subscription.items.data.flatMap((item) => credit(world, subscription, item, at));
}

function credit(world: World, subscription: Subscription, item: SubscriptionItem, at: number): InvoiceItem[] {
  if (subscription.status === 'trialing' || at >= item.current_period_end) return [];
  const debit =
    subscription.billing_mode.type === 'classic'
      ? byPrice(world, subscription, item)
      : lastDebit(world, item);
  if (!debit) return [];
  const { start, end } = debit.period;
  const amount = -partOf(debit.amount, Math.max(0, end - Math.max(at, start)), end - start);
  return [
    made(world, subscription, item, {
      amount,
      description: `Unused time on ${nameOf(world, item)} after ${dateText(at)}`,
      period: { start: at, end },
      proration: { credited: debit.credited },
    }),
  ];
}

function charge(
  world: World,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
  old: readonly SubscriptionItem[],
): InvoiceItem[] {
  const { current_period_start: start, current_period_end: end } = old[0] ?? item;
  if (subscription.status === 'trialing' || at >= end) return [];
  const net = discounted(world, subscription, grossOf(item), at);
  return [
    made(world, subscription, item, {
      amount: partOf(net, Math.max(0, end - at), end - start),
      description: `Remaining time on ${nameOf(world, item)} after ${dateText(at)}`,
      period: { start: at, end },
      proration: { credited: null },
    }),
  ];
}

function made(
  world: World,
  subscription: Subscription,
  item: SubscriptionItem,
  fields: Pick<NewItem, 'amount' | 'description' | 'period' | 'proration'>,
): InvoiceItem {
  return makeItem(world, {
    ...fields,
    customer: String(subscription.customer),
    currency: subscription.currency,
    quantity: item.quantity ?? 1,
    price: item.price,
    // The amounts are after discounts already.
    isDiscountable: false,
    subscription: { id: subscription.id, item: item.id },
  });
}

function nameOf(world: World, item: SubscriptionItem): string {
  const name = productName(world, item);
  return (item.quantity ?? 1) > 1 ? `${item.quantity} × ${name}` : name;
}

function byPrice(world: World, subscription: Subscription, item: SubscriptionItem): Debit {
  const period = { start: item.current_period_start, end: item.current_period_end };
  return { amount: discounted(world, subscription, grossOf(item), period.start), period, credited: null };
}

function discounted(world: World, subscription: Subscription, amount: number, at: number): number {
  const discounts = discountsAt(world, subscription.discounts.map(String), at);
  return amount - sum(reductions(world, discounts, amount).map((each) => each.amount));
}

// What was asked for last runs to the end of the period; what it replaced was credited then.
function lastDebit(world: World, item: SubscriptionItem): Debit | undefined {
  const pending = world.store
    .all('invoiceitem')
    .findLast(
      (one) =>
        one.invoice === null &&
        one.proration &&
        one.amount >= 0 &&
        one.parent?.subscription_details?.subscription_item === item.id &&
        one.period.end === item.current_period_end,
    );
  if (pending) return { amount: pending.amount, period: pending.period, credited: null };
  for (const invoice of world.store.all('invoice').toReversed()) {
    if (invoice.status === 'void') continue;
    const line = invoice.lines.data.findLast(
      (one) =>
        one.parent?.subscription_item_details?.subscription_item === item.id &&
        one.amount >= 0 &&
        one.period.end === item.current_period_end,
    );
    if (!line) continue;
    const credited = { invoice: invoice.id, invoice_line_items: [line.id] };
    return { amount: netOf(line), period: line.period, credited };
  }
  return undefined;
}
