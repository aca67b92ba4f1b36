import { wantedDiscounts } from '../catalogue/discount.js';
import { ratesOf } from '../catalogue/tax-rate.js';
import { methodFor } from '../customer/payment-method.js';
import { invalid } from '../errors.js';
import { changedMetadata } from '../http/form.js';
import { given } from '../http/operation.js';
import { pendingItems } from '../invoice/make.js';
import { noteInSchedule } from '../schedule/current-phase.js';
import type { Subscription, SubscriptionItem } from '../store/stored.js';
import { isSameRhythm, periodAt } from '../time/cycle.js';
import type { World } from '../world.js';
import { billSubscription, collectNow, type PaymentBehavior } from './invoice.js';
import { changedItems, periodLine, rhythmOfAll, withPeriod } from './items.js';
import { setStatus } from './outcome.js';
import { trialSettingsOf, type Change } from './parameters.js';
import { creditAll, prorate } from './proration.js';
import { endTrial } from './trial.js';

/** Changes a subscription; what that costs is reckoned, and asked for now or with the next invoice. */
export function updateSubscription(world: World, id: string, wanted: Change): Subscription {
  const before = world.store.get('subscription', id);
  if (!before) throw new Error(`there is no subscription ${id}`);
  checkStatus(before, wanted);
  const now = world.now(before.test_clock);
  world.store.put('subscription', { ...before, ...plainChanges(world, before, wanted, now) });
  if (wanted.trial_end === 'now' && before.status === 'trialing') endTrial(world, id, { isEarly: true });
  else if (wanted.items || wanted.billing_cycle_anchor?.type === 'now') changeItems(world, id, wanted, now);
  const after = world.store.get('subscription', id) ?? before;
  if (wanted.items) noteInSchedule(world, after);
  world.emit('customer.subscription.updated', after, before);
  return after;
}

function checkStatus({ id, schedule, status, ended_at: ended }: Subscription, wanted: Change): void {
  if (ended !== null) {
    const allowed = new Set(['metadata', 'cancellation_details', 'expand']);
    const others = Object.keys(wanted).filter(
      (name) => wanted[name as keyof Change] !== undefined && !allowed.has(name),
    );
    if (others.length > 0)
      throw invalid(
        `A canceled subscription can only update its cancellation_details and metadata.`,
        others[0],
        'invalid_canceled_subscription_fields',
      );
  }
  if (typeof schedule === 'string' && (wanted.cancel_at_period_end ?? wanted.cancel_at) !== undefined)
    throw invalid(
      `The subscription is managed by the subscription schedule \`${schedule}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
      wanted.cancel_at === undefined ? 'cancel_at_period_end' : 'cancel_at',
    );
  if (status === 'incomplete' && wanted.items)
    throw invalid(
      `Subscription ${id} is incomplete: its first invoice has to be paid before its items can change.`,
      'items',
    );
}

function plainChanges(
  world: World,
  before: Subscription,
  wanted: Change,
  now: number,
): Partial<Subscription> {
  const periodEnd = before.items.data[0]?.current_period_end ?? now;
  const {
    cancel_at_period_end: atEnd,
    cancel_at: cancelAt,
    cancellation_details: details,
    trial_end: trialEnd,
  } = wanted;
  if (typeof cancelAt === 'number' && cancelAt <= now)
    throw invalid('`cancel_at` must be in the future.', 'cancel_at');
  if (typeof trialEnd === 'number' && trialEnd <= now)
    throw invalid(
      '`trial_end` timestamp must be in the future. Use `trial_end=now` to end the trial immediately.',
      'trial_end',
    );
  if (atEnd !== undefined && cancelAt !== undefined)
    throw invalid(
      'Received both cancel_at_period_end and cancel_at parameters. Please pass in only one.',
      undefined,
      'parameters_exclusive',
    );
  // A day that was named by itself goes by its own name only.
  const kept = before.cancel_at_period_end ? null : before.cancel_at;
  const endsAt = atEnd ? periodEnd : atEnd === false ? kept : (cancelAt ?? null);
  const ends = endsAt !== null;
  const isAsked = atEnd !== undefined || cancelAt !== undefined;
  return {
    ...given({
      collection_method: wanted.collection_method,
      days_until_due: wanted.days_until_due,
      description: wanted.description,
      trial_settings: wanted.trial_settings && trialSettingsOf(wanted.trial_settings),
      default_payment_method:
        wanted.default_payment_method === undefined
          ? undefined
          : methodFor(world, wanted.default_payment_method, String(before.customer), 'default_payment_method')
              .id,
      default_tax_rates:
        wanted.default_tax_rates === undefined
          ? undefined
          : ratesOf(world, wanted.default_tax_rates, 'default_tax_rates'),
      pause_collection: wanted.pause_collection && {
        behavior: wanted.pause_collection.behavior,
        resumes_at: null,
      },
      discounts:
        wanted.discounts === undefined
          ? undefined
          : wantedDiscounts(world, wanted.discounts ?? [], {
              customer: String(before.customer),
              subscription: before.id,
            }),
    }),
    ...(wanted.payment_settings && {
      payment_settings: {
        ...before.payment_settings,
        ...given(wanted.payment_settings),
      } as Subscription['payment_settings'],
    }),
    metadata: changedMetadata(before.metadata, wanted.metadata),
    ...(isAsked && {
      cancel_at_period_end: atEnd ?? false,
      cancel_at: endsAt,
      canceled_at: ends ? now : null,
    }),
    ...((details || isAsked) && {
      cancellation_details: {
        comment:
          details?.comment === undefined ? (before.cancellation_details?.comment ?? null) : details.comment,
        feedback:
          details?.feedback === undefined
            ? (before.cancellation_details?.feedback ?? null)
            : details.feedback,
        feedback_option: null,
        reason: isAsked
          ? ends
            ? ('cancellation_requested' as const)
            : null
          : (before.cancellation_details?.reason ?? null),
      },
    }),
    ...(typeof trialEnd === 'number' && {
      trial_end: trialEnd,
      trial_start: before.trial_start ?? now,
      status: 'trialing' as const,
      billing_cycle_anchor: trialEnd,
      items: { ...before.items, data: withPeriod(before.items.data, { start: now, end: trialEnd }) },
    }),
  };
}

/** Changes items, or when they are charged. With `isPreview` the invoice for it stays a draft. */
export function changeItems(world: World, id: string, wanted: Change, now: number, isPreview = false): void {
  const before = world.store.get('subscription', id);
  if (!before) return;
  const at = prorationDate(before, wanted, now);
  const items = changedItems(world, before, wanted.items ?? [], now);
  const behavior = isPreview ? 'preview' : (wanted.payment_behavior ?? 'allow_incomplete');
  const isNewCycle =
    wanted.billing_cycle_anchor?.type === 'now' ||
    !isSameRhythm(rhythmOfAll(items), rhythmOfAll(before.items.data));
  const prorates = (wanted.proration_behavior ?? 'create_prorations') !== 'none';
  if (isNewCycle && before.status !== 'trialing') {
    if (prorates) creditAll(world, before, at);
    beginCycle(world, before, items, now, behavior);
    return;
  }
  if (prorates) prorate(world, before, items, at);
  const changed = world.store.change('subscription', id, { items: { ...before.items, data: items } });
  if (wanted.proration_behavior !== 'always_invoice' || before.status === 'trialing') return;
  if (pendingItems(world, String(before.customer), before.currency, id).length === 0) return;
  const invoice = billSubscription(world, changed, {
    reason: 'subscription_update',
    lines: [],
    period: { start: before.items.data[0]?.current_period_start ?? now, end: now },
    advances: true,
    prorationDate: at,
  });
  settleChange(world, before, invoice.id, behavior);
}

function prorationDate(before: Subscription, wanted: Change, now: number): number {
  const at = wanted.proration_date ?? now;
  const [item] = before.items.data;
  if (item && (at < item.current_period_start || at > item.current_period_end))
    throw invalid('Cannot specify proration_date outside of current subscription period', 'proration_date');
  return at;
}

/** A new cycle begins now, and is asked for now. */
function beginCycle(
  world: World,
  before: Subscription,
  items: readonly SubscriptionItem[],
  now: number,
  behavior: PaymentBehavior | 'preview',
): void {
  const period = periodAt(now, rhythmOfAll(items), now);
  const data = withPeriod(items, period);
  const changed = world.store.change('subscription', before.id, {
    billing_cycle_anchor: now,
    items: { ...before.items, data },
    ...(before.cancel_at_period_end && { cancel_at: period.end }),
  });
  const invoice = billSubscription(world, changed, {
    reason: 'subscription_update',
    lines: data.map((item) => periodLine(world, item, period, false)),
    period: { start: before.items.data[0]?.current_period_start ?? now, end: now },
    advances: true,
  });
  settleChange(world, before, invoice.id, behavior);
}

function settleChange(
  world: World,
  before: Subscription,
  invoiceId: string,
  behavior: PaymentBehavior | 'preview',
): void {
  const draft = world.store.get('invoice', invoiceId);
  if (!draft || behavior === 'preview') return;
  const { invoice, error } = collectNow(world, draft, behavior);
  if (error && behavior === 'error_if_incomplete') throw error;
  if (error && behavior === 'pending_if_incomplete') holdBack(world, before);
  if (behavior === 'default_incomplete' && invoice.status === 'open') {
    const now = world.store.get('subscription', before.id);
    if (now?.status === 'active') setStatus(world, now, 'past_due');
  }
}

/** What could not be paid is held back for 23 hours; until it is paid all stays as it was. */
function holdBack(world: World, before: Subscription): void {
  const changed = world.store.get('subscription', before.id);
  if (!changed) return;
  const expires = world.now(before.test_clock) + world.settings.incompleteSeconds;
  world.store.change('subscription', before.id, {
    items: before.items,
    billing_cycle_anchor: before.billing_cycle_anchor,
    status: before.status,
    pending_update: {
      billing_cycle_anchor:
        changed.billing_cycle_anchor === before.billing_cycle_anchor ? null : changed.billing_cycle_anchor,
      cancel_at_period_end: null,
      discount: null,
      discounts: null,
      expires_at: expires,
      metadata: null,
      subscription_items: changed.items.data,
      trial_end: null,
      trial_from_plan: null,
    },
  });
}
