import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, expand, flag, isWithin, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, given, inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { Subscription, SubscriptionSchedule } from '../store/stored.js';
import { endSubscription } from '../subscription/end.js';
import { creditAll } from '../subscription/proration.js';
import type { World } from '../world.js';
import { scheduleChange, scheduleCreation } from './parameters.js';
import { applyPhase, phaseAt, placedPhases, startSchedule } from './phases.js';

const path = '/v1/subscription_schedules';

export const scheduleOperations = [
  operation('POST', path, scheduleCreation, (world, wanted) => {
    if (wanted.from_subscription !== undefined) {
      if (wanted.phases ?? wanted.customer ?? wanted.start_date)
        throw invalid(
          'You cannot set phases, customer or start_date when `from_subscription` is set. Update the schedule afterwards.',
          'from_subscription',
        );
      return fromSubscription(
        world,
        existing(world, 'subscription', wanted.from_subscription, 'from_subscription'),
        wanted,
      );
    }
    if (wanted.customer === undefined)
      throw invalid('Missing required param: customer.', 'customer', 'parameter_missing');
    if (!wanted.phases) throw invalid('Missing required param: phases.', 'phases', 'parameter_missing');
    const customer = existing(world, 'customer', wanted.customer, 'customer');
    const now = world.nowFor(customer.id);
    const start = wanted.start_date === undefined || wanted.start_date === 'now' ? now : wanted.start_date;
    if (start < now)
      throw invalid('Schedules that began in the past are not part of this stand-in.', 'start_date');
    const schedule = make(world, customer.id, {
      end_behavior: wanted.end_behavior ?? 'release',
      metadata: changedMetadata({}, wanted.metadata),
      phases: placedPhases(world, wanted.phases, start, now),
      status: 'not_started',
    });
    const after = start > now ? schedule : startSchedule(world, { ...schedule, status: 'active' }, now);
    world.emit('subscription_schedule.created', after);
    return after;
  }),
  operation('POST', `${path}/:id`, scheduleChange, (world, wanted, at) => {
    const before = live(inPath(world, 'subscription_schedule', at));
    const now = world.now(before.test_clock as string | null);
    const from = before.current_phase?.start_date ?? before.phases[0]?.start_date ?? now;
    const phases = wanted.phases && placedPhases(world, wanted.phases, from, now);
    const current = phases && phaseAt(phases, now);
    if (phases && before.status === 'active' && !current)
      throw invalid('You must set the current phase, in which the schedule is, among the phases.', 'phases');
    const changed = world.store.change('subscription_schedule', before.id, {
      ...given({ end_behavior: wanted.end_behavior, phases }),
      ...(current && { current_phase: { start_date: current.start_date, end_date: current.end_date } }),
      metadata: changedMetadata(before.metadata, wanted.metadata),
    });
    if (current && before.status === 'active') {
      const behavior = wanted.proration_behavior ?? current.proration_behavior;
      applyPhase(world, changed, { ...current, proration_behavior: behavior }, now);
    }
    world.emit('subscription_schedule.updated', changed, before);
    return changed;
  }),
  operation(
    'POST',
    `${path}/:id/release`,
    z.strictObject({ expand, preserve_cancel_date: flag.optional() }),
    (world, wanted, at) => {
      const before = live(inPath(world, 'subscription_schedule', at));
      const { subscription } = before;
      if (typeof subscription === 'string') {
        const held = existing(world, 'subscription', subscription);
        const freed = world.store.change('subscription', subscription, {
          schedule: null,
          ...(!wanted.preserve_cancel_date && before.end_behavior === 'cancel' && { cancel_at: null }),
        });
        world.emit('customer.subscription.updated', freed, held);
      }
      const after = world.store.change('subscription_schedule', before.id, {
        status: 'released',
        released_at: world.now(before.test_clock as string | null),
        released_subscription: subscription as string | null,
        subscription: null,
        current_phase: null,
      });
      world.emit('subscription_schedule.released', after);
      return after;
    },
  ),
  operation(
    'POST',
    `${path}/:id/cancel`,
    z.strictObject({ expand, invoice_now: flag.optional(), prorate: flag.optional() }),
    (world, wanted, at) => {
      const before = live(inPath(world, 'subscription_schedule', at));
      const now = world.now(before.test_clock as string | null);
      if (typeof before.subscription === 'string') {
        const held = existing(world, 'subscription', before.subscription);
        if (wanted.prorate ?? true) creditAll(world, held, now);
        // It cancels its schedule, too.
        endSubscription(world, held.id, { reason: 'cancellation_requested' });
        return existing(world, 'subscription_schedule', before.id);
      }
      const after = world.store.change('subscription_schedule', before.id, {
        status: 'canceled',
        canceled_at: now,
      });
      world.emit('subscription_schedule.canceled', after);
      return after;
    },
  ),
  retrieval('subscription_schedule', path),
  listing(
    'subscription_schedule',
    path,
    {
      canceled_at: range.optional(),
      completed_at: range.optional(),
      created: range.optional(),
      customer: text.optional(),
      released_at: range.optional(),
      scheduled: flag.optional(),
    },
    (schedule, wanted) =>
      isWithin(schedule.canceled_at, wanted.canceled_at) &&
      isWithin(schedule.completed_at, wanted.completed_at) &&
      isWithin(schedule.created, wanted.created) &&
      isWithin(schedule.released_at, wanted.released_at) &&
      (wanted.customer === undefined || schedule.customer === wanted.customer) &&
      (wanted.scheduled === undefined || (schedule.status === 'not_started') === wanted.scheduled),
  ),
];

function live(schedule: SubscriptionSchedule): SubscriptionSchedule {
  if (schedule.status === 'active' || schedule.status === 'not_started') return schedule;
  throw invalid(
    `You cannot change a subscription schedule that is currently in the \`${schedule.status}\` status.`,
    undefined,
    'status_transition_invalid',
  );
}

/** A schedule for a subscription that is there, with one phase: the period it is in. */
function fromSubscription(
  world: World,
  subscription: Subscription,
  wanted: {
    end_behavior?: 'cancel' | 'release' | undefined;
    metadata?: Record<string, string> | null | undefined;
  },
): SubscriptionSchedule {
  if (subscription.schedule !== null)
    throw invalid(
      `You cannot migrate a subscription that is already attached to a schedule: \`${String(subscription.schedule)}\`.`,
      'from_subscription',
    );
  if (subscription.ended_at !== null)
    throw invalid('You cannot create a schedule from a subscription that has ended.', 'from_subscription');
  const [first] = subscription.items.data;
  const now = world.now(subscription.test_clock as string | null);
  const phases = placedPhases(
    world,
    [
      {
        items: subscription.items.data.map(({ price, quantity }) => ({ price: price.id, quantity })),
        discounts: subscription.discounts.map((discount) => ({ discount: String(discount) })),
        default_tax_rates: subscription.default_tax_rates?.map(({ id }) => id),
        start_date: first?.current_period_start ?? now,
        end_date: first?.current_period_end ?? now,
        ...(subscription.status === 'trialing' &&
          subscription.trial_end !== null && { trial_end: subscription.trial_end }),
      },
    ],
    now,
    now,
  );
  const [current] = phases;
  const schedule = make(world, String(subscription.customer), {
    current_phase: current ? { start_date: current.start_date, end_date: current.end_date } : null,
    end_behavior: wanted.end_behavior ?? 'release',
    metadata: changedMetadata({}, wanted.metadata),
    phases,
    status: 'active',
    subscription: subscription.id,
  });
  const held = world.store.change('subscription', subscription.id, { schedule: schedule.id });
  world.emit('subscription_schedule.created', schedule);
  world.emit('customer.subscription.updated', held, subscription);
  return schedule;
}

function make(
  world: World,
  customer: string,
  fields: Pick<SubscriptionSchedule, 'end_behavior' | 'metadata' | 'phases' | 'status'> &
    Partial<SubscriptionSchedule>,
): SubscriptionSchedule {
  return world.store.put('subscription_schedule', {
    id: newId('subscription_schedule'),
    object: 'subscription_schedule',
    application: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    canceled_at: null,
    completed_at: null,
    created: world.nowFor(customer),
    current_phase: null,
    customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: false, liability: null },
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: null,
      description: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    livemode: false,
    pause_schedules: [],
    released_at: null,
    released_subscription: null,
    subscription: null,
    test_clock: world.clockOf(customer),
    ...fields,
  });
}
