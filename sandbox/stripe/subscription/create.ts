import { wantedDiscounts } from '../catalogue/discount.js';
import { ratesOf } from '../catalogue/tax-rate.js';
import { methodFor } from '../customer/payment-method.js';
import { invalid } from '../errors.js';
import { changedMetadata } from '../http/form.js';
import { existing } from '../http/operation.js';
import { partOf } from '../invoice/money.js';
import { day } from '../settings.js';
import { newId } from '../store/ids.js';
import type { Customer, Subscription, SubscriptionItem } from '../store/stored.js';
import { boundary, periodAt, type Period } from '../time/cycle.js';
import type { World } from '../world.js';
import { billSubscription, collectNow } from './invoice.js';
import { checkedPrices, checkedQuantity, grossOf, newItem, periodLine, rhythmOfAll } from './items.js';
import { trialSettingsOf, type Creation } from './parameters.js';

const subscriptionsPerCustomer = 500;
const longestTrialDays = 1825;

/** Makes a subscription and its first invoice, which is due at once; that of a schedule's is a draft for an hour. */
export function createSubscription(world: World, wanted: Creation, isScheduled = false): Subscription {
  const customer = existing(world, 'customer', wanted.customer, 'customer');
  const now = world.nowFor(customer.id);
  const trialEnd = trialEndOf(wanted, now);
  const begun = world.store.put('subscription', draftOf(world, customer, wanted, now, trialEnd, isScheduled));
  const [first] = begun.items.data;
  if (!first) throw new Error('a new subscription has no items');
  const isCharged = wanted.collection_method !== 'send_invoice' && !isScheduled;
  const behavior = wanted.payment_behavior ?? 'allow_incomplete';
  const isDue = trialEnd === null && begun.items.data.some((item) => grossOf(item) > 0);
  if (isDue && isCharged && behavior !== 'default_incomplete') requireMethod(world, begun, customer);
  const period = { start: first.current_period_start, end: first.current_period_end };
  const lines = begun.items.data.map((item) =>
    periodLine(world, item, period, trialEnd !== null, firstAmount(item, begun, wanted)),
  );
  world.emit('customer.subscription.created', begun);
  const draft = billSubscription(world, begun, {
    reason: 'subscription_create',
    lines,
    period: { start: now, end: now },
    advances: true,
  });
  if (isCharged || trialEnd !== null) {
    const { error } = collectNow(world, draft, behavior);
    if (error && behavior === 'error_if_incomplete') throw error;
  }
  const made = world.store.get('subscription', begun.id) ?? begun;
  return made.cancel_at_period_end || wanted.cancel_at !== undefined
    ? world.store.change('subscription', made.id, { canceled_at: now })
    : made;
}

function trialEndOf({ trial_end: end, trial_period_days: days }: Creation, now: number): number | null {
  if (end !== undefined && days !== undefined)
    throw invalid(
      'You may only specify one of these parameters: trial_end, trial_period_days.',
      undefined,
      'parameters_exclusive',
    );
  if (days !== undefined && (days < 0 || days > longestTrialDays))
    throw invalid(
      `The maximum number of trial period days is ${longestTrialDays} (5 years).`,
      'trial_period_days',
    );
  if (days !== undefined) return days === 0 ? null : now + days * day;
  if (end === undefined || end === 'now') return null;
  if (end <= now)
    throw invalid(
      '`trial_end` timestamp must be in the future. Use `trial_end=now` to end the trial immediately.',
      'trial_end',
    );
  return end;
}

function draftOf(
  world: World,
  customer: Customer,
  wanted: Creation,
  now: number,
  trialEnd: number | null,
  isScheduled: boolean,
): Subscription {
  if (wanted.items.length === 0)
    throw invalid('Missing required param: items.', 'items', 'parameter_missing');
  const others = world.store
    .all('subscription')
    .filter((one) => one.customer === customer.id && one.ended_at === null);
  if (others.length >= subscriptionsPerCustomer)
    throw invalid(
      `Customer ${customer.id} already has the maximum ${subscriptionsPerCustomer} current subscriptions.`,
      'customer',
      'customer_max_subscriptions',
    );
  const prices = checkedPrices(world, wanted.items, wanted.currency?.toLowerCase());
  const currency = prices[0]?.currency ?? 'usd';
  if (customer.currency != null && customer.currency !== currency)
    throw invalid(
      `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency ${customer.currency}`,
      'currency',
    );
  if (wanted.collection_method === 'send_invoice' && wanted.days_until_due === undefined)
    throw invalid(
      'You must pass `days_until_due` when `collection_method` is `send_invoice`.',
      'days_until_due',
      'parameter_missing',
    );
  const id = newId('subscription');
  const anchor = trialEnd ?? wanted.billing_cycle_anchor ?? now;
  if (anchor < now) throw invalid('`billing_cycle_anchor` cannot be in the past.', 'billing_cycle_anchor');
  const items = prices.map((price, index) =>
    newItem(
      id,
      price,
      checkedQuantity(wanted.items[index]?.quantity, index),
      { start: now, end: anchor },
      now,
      changedMetadata({}, wanted.items[index]?.metadata),
    ),
  );
  const rhythm = rhythmOfAll(items);
  if (anchor > boundary(now, rhythm, 1) && trialEnd === null)
    throw invalid(
      '`billing_cycle_anchor` cannot be later than next natural billing date.',
      'billing_cycle_anchor',
    );
  const period: Period = anchor > now ? { start: now, end: anchor } : periodAt(anchor, rhythm, now);
  const placed = items.map((item) => ({
    ...item,
    current_period_start: period.start,
    current_period_end: period.end,
  }));
  const method = wanted.default_payment_method;
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: anchor,
    billing_cycle_anchor_config: null,
    billing_mode:
      wanted.billing_mode?.type === 'classic'
        ? { flexible: null, type: 'classic' }
        : { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: wanted.cancel_at ?? (wanted.cancel_at_period_end ? period.end : null),
    cancel_at_period_end: wanted.cancel_at_period_end ?? false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: wanted.collection_method ?? 'charge_automatically',
    created: now,
    currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: wanted.days_until_due ?? null,
    default_payment_method:
      method === undefined ? null : methodFor(world, method, customer.id, 'default_payment_method').id,
    default_source: null,
    default_tax_rates: ratesOf(world, wanted.default_tax_rates ?? [], 'default_tax_rates'),
    description: wanted.description ?? null,
    discounts: wantedDiscounts(world, wanted.discounts ?? [], { customer: customer.id, subscription: id }),
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: placed,
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: changedMetadata({}, wanted.metadata),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: wanted.payment_settings?.payment_method_types ?? null,
      save_default_payment_method: wanted.payment_settings?.save_default_payment_method ?? 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status:
      trialEnd !== null
        ? 'trialing'
        : wanted.collection_method === 'send_invoice' || isScheduled
          ? 'active'
          : 'incomplete',
    test_clock: world.clockOf(customer.id),
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: trialSettingsOf(wanted.trial_settings),
    trial_start: trialEnd === null ? null : now,
  };
}

/** Up to an anchor that lies ahead only the part of a period is charged, or nothing. */
function firstAmount(
  item: SubscriptionItem,
  { billing_cycle_anchor: anchor }: Subscription,
  wanted: Creation,
): number {
  if (anchor <= item.current_period_start) return grossOf(item);
  if (wanted.proration_behavior === 'none') return 0;
  const whole = boundary(anchor, rhythmOfAll([item]), -1);
  return partOf(grossOf(item), item.current_period_end - item.current_period_start, anchor - whole);
}

function requireMethod(world: World, subscription: Subscription, customer: Customer): void {
  if ((subscription.default_payment_method ?? customer.invoice_settings.default_payment_method) != null)
    return;
  throw invalid(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
    undefined,
    'resource_missing',
  );
}
