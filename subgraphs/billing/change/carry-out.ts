import type Stripe from 'stripe';

import { lookupKeyOf } from '../package/packages.js';
import { closePages } from '../stripe/checkout-pages.js';
import type { GivenDiscount } from '../stripe/partner-discount.js';
import type { Intent, IntentParams } from './intent.entity.js';

/**
 * Asks Stripe for what was intended. Each call has a key of its own made of the intent's id: however often it is made, by
 * whichever process, Stripe does it once and answers the same.
 */
export async function carryOut(stripe: Stripe, { id, kind, params }: Intent): Promise<void> {
  const once = (step: string) => ({ idempotencyKey: `${id}-${step}` });
  const subscription = params.subscriptionId ?? '';
  if (params.scheduleId !== null) await release(stripe, params.scheduleId, once('release'));
  switch (kind) {
    case 'SUBSCRIBE':
      // What is bought here can not be bought there a second time.
      await closePages(stripe, params.customerId);
      await stripe.subscriptions.create(
        {
          customer: params.customerId,
          items: [{ price: params.priceId! }],
          // A payment that fails leaves nothing behind.
          payment_behavior: 'error_if_incomplete',
          off_session: true,
          ...discountsOf(params),
          ...(params.paymentMethodId === null ? {} : { default_payment_method: params.paymentMethodId }),
        },
        once('subscribe'),
      );
      return;
    case 'UPGRADE':
      await stripe.subscriptions.update(
        subscription,
        {
          items: [{ id: params.itemId!, price: params.priceId! }],
          // The rest of what was paid is set off, and the difference is paid at once or the plan stays.
          proration_behavior: 'always_invoice',
          payment_behavior: 'error_if_incomplete',
          off_session: true,
          cancel_at_period_end: false,
        },
        once('upgrade'),
      );
      return;
    case 'DOWNGRADE':
      await schedule(stripe, { id, params });
      return;
    case 'CANCEL':
      await stripe.subscriptions.update(subscription, { cancel_at_period_end: true }, once('cancel'));
      return;
    case 'RESUME':
      await stripe.subscriptions.update(subscription, { cancel_at_period_end: false }, once('resume'));
  }
}

/** The period that is paid stays as it is; the next one has the other price. */
async function schedule(stripe: Stripe, { id, params }: Pick<Intent, 'id' | 'params'>): Promise<void> {
  const once = (step: string) => ({ idempotencyKey: `${id}-${step}` });
  const made = await stripe.subscriptionSchedules.create(
    { from_subscription: params.subscriptionId! },
    once('schedule'),
  );
  const [now] = made.phases;
  if (!now) throw new Error(`the schedule ${made.id} has no phase`);
  await stripe.subscriptionSchedules.update(
    made.id,
    {
      end_behavior: 'release',
      proration_behavior: 'none',
      phases: [
        {
          items: [{ price: params.currentPriceId!, quantity: 1 }],
          start_date: now.start_date,
          end_date: now.end_date,
          ...discountsOf(params),
        },
        {
          items: [{ price: params.priceId!, quantity: 1 }],
          start_date: now.end_date,
          duration: { interval: params.cycle === 'YEARLY' ? 'year' : 'month', interval_count: 1 },
          // A phase has those that it names, and no others.
          ...discountsOf(params),
          // By which it is told what is to come: a phase names its price by id only.
          metadata: { lookup_key: lookupKeyOf(params.plan, params.cycle) },
        },
      ],
    },
    once('phases'),
  );
}

const discountsOf = ({ discounts = [] }: IntentParams): { discounts?: GivenDiscount[] } =>
  discounts.length === 0 ? {} : { discounts: [...discounts] };

/** One that has ended by itself has nothing left to release. */
async function release(stripe: Stripe, id: string, once: { idempotencyKey: string }): Promise<void> {
  const { status } = await stripe.subscriptionSchedules.retrieve(id);
  if (status !== 'active' && status !== 'not_started') return;
  await stripe.subscriptionSchedules.release(id, {}, once);
}
