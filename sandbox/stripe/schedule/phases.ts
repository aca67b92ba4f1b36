import { wantedDiscounts } from '../catalogue/discount.js';
import { recurringPrice } from '../catalogue/price.js';
import { ratesOf } from '../catalogue/tax-rate.js';
import { invalid } from '../errors.js';
import { changedMetadata } from '../http/form.js';
import { existing } from '../http/operation.js';
import type { SchedulePhase, Subscription, SubscriptionSchedule } from '../store/stored.js';
import { createSubscription } from '../subscription/create.js';
import { endSubscription } from '../subscription/end.js';
import { changedItems, planOf, rhythmOfAll, type WantedItem } from '../subscription/items.js';
import { endTrial } from '../subscription/trial.js';
import { changeItems } from '../subscription/update.js';
import { boundary, isSameRhythm, type Rhythm } from '../time/cycle.js';
import type { World } from '../world.js';
import type { WantedPhase } from './parameters.js';

/** When time has something to do for a schedule. */
export function scheduleMoment(schedule: SubscriptionSchedule): number | undefined {
  if (schedule.status === 'not_started') return schedule.phases[0]?.start_date;
  return schedule.status === 'active' ? schedule.current_phase?.end_date : undefined;
}

/** Phases as they follow one another from a moment: each ends as it says, or after one period of its price. */
export function placedPhases(
  world: World,
  wanted: readonly WantedPhase[],
  from: number,
  now: number,
): SchedulePhase[] {
  let at = from;
  return wanted.map((phase, index) => {
    const name = `phases[${index}]`;
    const start = momentOf(phase.start_date, now) ?? at;
    if (index > 0 && start !== at)
      throw invalid('Phases must follow one another without a gap.', `${name}[start_date]`);
    const prices = phase.items.map(({ price }, place) =>
      recurringPrice(world, price, `${name}[items][${place}][price]`),
    );
    const rhythm = prices[0]?.recurring ?? { interval: 'month', interval_count: 1 };
    const end =
      momentOf(phase.end_date, now) ?? boundary(start, durationOf(phase) ?? rhythm, phase.iterations ?? 1);
    if (end <= start) throw invalid('The end of a phase must be after its start.', `${name}[end_date]`);
    at = end;
    return {
      add_invoice_items: [],
      application_fee_percent: null,
      billing_cycle_anchor: null,
      billing_thresholds: null,
      collection_method: null,
      currency: prices[0]?.currency ?? 'usd',
      default_payment_method: phase.default_payment_method ?? null,
      default_tax_rates: ratesOf(world, phase.default_tax_rates ?? [], `${name}[default_tax_rates]`),
      description: phase.description ?? null,
      discounts: (phase.discounts ?? []).map(({ coupon, discount }) => ({
        coupon: coupon ?? null,
        discount: discount ?? null,
        promotion_code: null,
      })),
      end_date: end,
      invoice_settings: null,
      items: phase.items.map((item, place) => ({
        billing_thresholds: null,
        discounts: [],
        metadata: changedMetadata({}, item.metadata),
        plan: prices[place] ? planOf(prices[place]).id : item.price,
        price: item.price,
        quantity: item.quantity ?? 1,
        tax_rates: [],
      })),
      metadata: changedMetadata({}, phase.metadata),
      on_behalf_of: null,
      proration_behavior: phase.proration_behavior ?? 'create_prorations',
      start_date: start,
      transfer_data: null,
      trial_end: phase.trial_end ?? null,
    };
  });
}

const momentOf = (moment: number | 'now' | undefined, now: number): number | undefined =>
  moment === 'now' ? now : moment;

function durationOf({ duration }: WantedPhase): Rhythm | undefined {
  return duration && { interval: duration.interval, interval_count: duration.interval_count ?? 1 };
}

/** The phase in which a moment lies. */
export function phaseAt(phases: readonly SchedulePhase[], at: number): SchedulePhase | undefined {
  return phases.find((phase) => phase.start_date <= at && at < phase.end_date);
}

/** A phase has ended, or the first one begins. */
export function advanceSchedule(world: World, id: string): void {
  const before = existing(world, 'subscription_schedule', id);
  const now = world.now(before.test_clock as string | null);
  const phase = phaseAt(before.phases, now);
  if (before.status === 'not_started') {
    startSchedule(world, before, now);
    return;
  }
  if (phase) {
    applyPhase(world, before, phase, now);
    const after = world.store.change('subscription_schedule', id, {
      current_phase: { start_date: phase.start_date, end_date: phase.end_date },
    });
    world.emit('subscription_schedule.updated', after, before);
    return;
  }
  const subscription = String(before.subscription);
  const after = world.store.change('subscription_schedule', id, {
    status: 'completed',
    completed_at: now,
    current_phase: null,
  });
  const detached = world.store.get('subscription', subscription);
  if (detached) world.store.change('subscription', subscription, { schedule: null });
  if (before.end_behavior === 'cancel')
    endSubscription(world, subscription, { reason: 'cancellation_requested' });
  world.emit('subscription_schedule.completed', after);
}

/** Makes the subscription of a schedule whose time has come. */
export function startSchedule(world: World, before: SubscriptionSchedule, now: number): SubscriptionSchedule {
  const phase = phaseAt(before.phases, now);
  if (!phase) throw invalid('The first phase of a schedule is over before it began.', 'phases');
  const subscription = createSubscription(
    world,
    {
      customer: String(before.customer),
      items: phase.items.map(({ price, quantity }) => ({ price: String(price), quantity })),
      discounts: phase.discounts.flatMap(({ coupon }) =>
        coupon === null ? [] : [{ coupon: String(coupon) }],
      ),
      metadata: { ...phase.metadata },
      default_payment_method:
        phase.default_payment_method === null ? undefined : String(phase.default_payment_method),
      trial_end: phase.trial_end ?? undefined,
    },
    true,
  );
  world.store.change('subscription', subscription.id, { schedule: before.id });
  const after = world.store.change('subscription_schedule', before.id, {
    status: 'active',
    subscription: subscription.id,
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
  });
  if (before.status !== 'active') world.emit('subscription_schedule.updated', after, before);
  return after;
}

/** Gives the subscription the items of a phase; at the end of a period the renewal that follows charges them. */
export function applyPhase(
  world: World,
  schedule: SubscriptionSchedule,
  phase: SchedulePhase,
  now: number,
): void {
  const before = existing(world, 'subscription', String(schedule.subscription));
  const wanted = itemsFor(before, phase);
  const isBoundary = now >= (before.items.data[0]?.current_period_end ?? now);
  if (wanted.length > 0 && isBoundary) {
    const data = changedItems(world, before, wanted, now);
    const isNewRhythm = !isSameRhythm(rhythmOfAll(data), rhythmOfAll(before.items.data));
    world.store.change('subscription', before.id, {
      items: { ...before.items, data },
      ...(isNewRhythm && { billing_cycle_anchor: now }),
    });
  } else if (wanted.length > 0) {
    const behavior = phase.proration_behavior as 'always_invoice' | 'create_prorations' | 'none';
    changeItems(world, before.id, { items: wanted, proration_behavior: behavior }, now);
  }
  applyTrial(world, before, phase, now);
  const metadata = changedMetadata(before.metadata, phase.metadata);
  const held = existing(world, 'subscription', before.id);
  const discounts = discountsOf(world, held, phase);
  // Those that a phase names, and no others.
  const rates = phase.default_tax_rates;
  const after = world.store.change('subscription', before.id, {
    metadata,
    discounts,
    default_tax_rates: rates,
  });
  world.emit('customer.subscription.updated', after, before);
}

/** A phase that names no trial has none, also where the subscription was in one: it is over, and asked for at once. */
function applyTrial(
  world: World,
  { id, status, trial_end: trialEnd }: Subscription,
  { trial_end: phaseTrialEnd }: SchedulePhase,
  now: number,
): void {
  const toCome = (end: number | null): number | null => (end !== null && end > now ? end : null);
  const wanted = toCome(phaseTrialEnd);
  if (wanted === (status === 'trialing' ? toCome(trialEnd) : null)) return;
  if (wanted !== null)
    throw invalid('Trials that a phase begins or moves are not part of this stand-in.', 'phases');
  endTrial(world, id, { isEarly: true });
}

/** Those that a phase names, and no others; a coupon that the subscription has already is not redeemed once more. */
function discountsOf(
  world: World,
  { id, customer, discounts }: Subscription,
  phase: SchedulePhase,
): string[] {
  const had = discounts.map(String);
  const wanted = phase.discounts.map(({ coupon, discount }) => {
    if (discount !== null) return { discount: String(discount) };
    const known = had.find((one) => world.store.get('discount', one)?.source.coupon === coupon);
    return known === undefined ? { coupon: String(coupon) } : { discount: known };
  });
  return wantedDiscounts(world, wanted, { customer: String(customer), subscription: id });
}

/** The changes that lead from a subscription's items to those of a phase. */
function itemsFor({ items }: Subscription, phase: SchedulePhase): WantedItem[] {
  const gone = items.data.filter((item) => !phase.items.some(({ price }) => price === item.price.id));
  const changes = phase.items.flatMap(({ price, quantity = 1 }): WantedItem[] => {
    const had = items.data.find((item) => item.price.id === price);
    if (!had) return [{ price: String(price), quantity }];
    return had.quantity === quantity ? [] : [{ id: had.id, quantity }];
  });
  return [...changes, ...gone.map(({ id }) => ({ id, deleted: true }))];
}
