import type Stripe from 'stripe';

import { lookupKeyOf } from '../package/packages.js';
import { alreadySubscribed, closePages } from '../stripe/checkout-pages.js';
import { once } from '../stripe/once.js';
import type { GivenDiscount } from '../stripe/partner-discount.js';
import { isForeignSchedule, isOurSchedule, isOver, phaseAsItIs, taxesOf } from '../stripe/schedules.js';
import { liveSubscriptions } from '../stripe/snapshot.js';
import { soldOf } from '../stripe/sold.js';
import { declinedWith } from '../stripe/stripe-errors.js';
import { byContract } from './change.rules.js';
import type { Intent, IntentParams } from './intent.entity.js';

const hourMs = 60 * 60 * 1000;

/**
 * Asks Stripe for what was intended. Each call has a key of its own made of the intent's id: however often it is made, by
 * whichever process, Stripe does it once and answers the same. To end a subscription a second time does no harm: there
 * each hour has keys of its own, so that no failure that Stripe keeps for them outlives it.
 */
export async function carryOut(stripe: Stripe, intent: Intent, now: Date): Promise<void> {
  const { id, kind, params } = intent;
  const subscription = params.subscriptionId ?? '';
  const hours = Math.floor((now.getTime() - intent.createdAt.getTime()) / hourMs);
  const key = kind === 'CANCEL' && hours > 0 ? `${id}-${hours}h` : id;
  if (params.scheduleId !== null) await release(stripe, params.scheduleId, intent, key);
  switch (kind) {
    case 'SUBSCRIBE':
      await subscribe(stripe, intent);
      return;
    case 'UPGRADE':
      await goOn(stripe, intent, 'upgrade', {
        items: [{ id: params.itemId!, price: params.priceId! }],
        // The rest of what was paid is set off, and the difference is paid at once or the plan stays.
        proration_behavior: 'always_invoice',
        payment_behavior: 'error_if_incomplete',
        off_session: true,
      });
      return;
    case 'DOWNGRADE':
      await schedule(stripe, intent);
      return;
    case 'CANCEL':
      if (params.isPaused && (await endPaused(stripe, intent, key))) return;
      await once(`${key}-cancel`, async (options) =>
        stripe.subscriptions.update(subscription, { cancel_at_period_end: true }, options),
      );
      return;
    case 'RESUME':
      if (params.isPaused) await unpause(stripe, intent);
      // What has paid for it now pays for it from now on.
      await goOn(stripe, intent, 'resume', params.isPaused ? paidBy(params) : {});
  }
}

/**
 * Changes a subscription and takes back that it ends. Stripe's portal names the day (`cancel_at`), which stays whatever
 * becomes of `cancel_at_period_end`, and a call takes one of the two: each way has a key of its own. Once the day is off, by
 * a call whose answer was lost, the other way has nothing left to do. The day of a contract stays.
 */
async function goOn(
  stripe: Stripe,
  { id, params }: Intent,
  name: string,
  changes: Stripe.SubscriptionUpdateParams,
): Promise<void> {
  const subscription = params.subscriptionId!;
  if (params.keepsDay) {
    await once(`${id}-${name}`, async (options) =>
      stripe.subscriptions.update(subscription, changes, options),
    );
    return;
  }
  const { cancel_at: day, cancel_at_period_end: atEnd } = await stripe.subscriptions.retrieve(subscription);
  const isByDay = day !== null && !atEnd;
  await once(`${id}-${name}${isByDay ? '-day' : ''}`, async (options) =>
    stripe.subscriptions.update(
      subscription,
      { ...changes, ...(isByDay ? { cancel_at: '' } : { cancel_at_period_end: false }) },
      options,
    ),
  );
}

/** Ends at once what has no period that is paid. False where somebody had it go on since it was asked for. */
async function endPaused(stripe: Stripe, { params }: Intent, key: string): Promise<boolean> {
  const subscription = params.subscriptionId!;
  const statusNow = async () => (await stripe.subscriptions.retrieve(subscription)).status;
  const status = await statusNow();
  if (status !== 'paused') return status === 'canceled';
  await once(`${key}-end`, async (options) =>
    stripe.subscriptions.cancel(subscription, {}, options).catch(async (cause: unknown) => {
      // Of one that an earlier call has ended, whose answer was lost, Stripe says that there is none.
      if ((await statusNow()) !== 'canceled') throw cause;
    }),
  );
  return true;
}

const paidBy = ({ paymentMethodId }: IntentParams): { default_payment_method?: string } =>
  paymentMethodId === null ? {} : { default_payment_method: paymentMethodId };

/**
 * Stripe makes an invoice of it, and leaves it to the caller to have that paid (`resume_on_payment_attempt`). One that is
 * open already, of an earlier try or of what it was paused for, is paid first. CONFLICT (CARD_DECLINED).
 */
async function unpause(stripe: Stripe, intent: Intent): Promise<void> {
  const found = await stripe.subscriptions.retrieve(intent.params.subscriptionId!);
  await payOpen(stripe, intent, found);
  const { status } = await stripe.subscriptions.retrieve(found.id);
  if (status !== 'paused') return;
  const resumed = await once(`${intent.id}-unpause`, async (options) =>
    stripe.subscriptions.resume(found.id, {}, options),
  );
  await payOpen(stripe, intent, resumed);
}

async function payOpen(
  stripe: Stripe,
  { id, params }: Intent,
  { latest_invoice: latest }: Stripe.Subscription,
): Promise<void> {
  const invoice = typeof latest === 'string' ? latest : latest?.id;
  if (invoice === undefined) return;
  await once(`${id}-pay-${invoice}`, async (options) => {
    const { status } = await stripe.invoices.retrieve(invoice);
    if (status !== 'open') return;
    const method = params.paymentMethodId;
    await stripe.invoices
      .pay(invoice, method === null ? {} : { payment_method: method }, options)
      .catch((cause: unknown) => {
        throw declinedWith(cause, 'The payment was declined; the subscription waits for it') ?? cause;
      });
  });
}

/** Throws CONFLICT (ALREADY_SUBSCRIBED) where it was bought on a page meanwhile. */
async function subscribe(stripe: Stripe, { id, params }: Intent): Promise<void> {
  // What is bought here can not be bought there a second time.
  await closePages(stripe, params.customerId);
  await once(`${id}-subscribe`, async (options) => {
    // Before each key: what Stripe has failed at may have been done all the same.
    const [living] = await liveSubscriptions(stripe, params.customerId);
    if (living?.metadata['intent'] === id) return;
    if (living) throw alreadySubscribed();
    await stripe.subscriptions.create(
      {
        customer: params.customerId,
        items: [{ price: params.priceId! }],
        // A payment that fails leaves nothing behind.
        payment_behavior: 'error_if_incomplete',
        off_session: true,
        ...discountsOf(params),
        ...(params.paymentMethodId === null ? {} : { default_payment_method: params.paymentMethodId }),
        metadata: { intent: id },
      },
      options,
    );
  });
}

/** The period that is paid stays as it is; the next one has the other price. */
async function schedule(stripe: Stripe, intent: Intent): Promise<void> {
  const { id, params } = intent;
  const from = params.subscriptionId!;
  const subscription = await stripe.subscriptions.retrieve(from, { expand: ['schedule'] });
  const there = typeof subscription.schedule === 'string' ? null : subscription.schedule;
  // Made by an earlier call: any other was taken off.
  if (there && isOurSchedule(there)) return;
  if (there && isForeignSchedule(there)) throw byContract(params.plan);
  // Under a schedule it could not be taken back any more, and it would end before the smaller plan begins.
  const ends = subscription.cancel_at !== null || subscription.cancel_at_period_end;
  if (!there && ends && !params.keepsDay) await goOn(stripe, intent, 'go-on', {});
  const made =
    there ??
    (await once(`${id}-schedule`, async (options) =>
      stripe.subscriptionSchedules.create({ from_subscription: from }, options),
    ));
  const [now] = made.phases;
  if (!now) throw new Error(`the schedule ${made.id} has no phase`);
  const asItIs = phaseAsItIs(now);
  const plan = soldOf(subscription)?.item.price.id;
  const rates = asItIs.items?.find(({ price }) => price === plan)?.tax_rates;
  const phases: Stripe.SubscriptionScheduleUpdateParams.Phase[] = [
    { ...asItIs, ...discountsOf(params) },
    {
      // What a contract sells beside the plan goes on.
      items: [
        { ...(rates ? { tax_rates: rates } : {}), price: params.priceId!, quantity: 1 },
        ...(asItIs.items ?? []).filter(({ price }) => price !== plan && price !== params.priceId),
      ],
      start_date: now.end_date,
      duration: { interval: params.cycle === 'YEARLY' ? 'year' : 'month', interval_count: 1 },
      // A phase has those that it names, and no others.
      ...discountsOf(params),
      ...taxesOf(now),
      // By which it is told what is to come: a phase names its price by id only.
      metadata: { lookup_key: lookupKeyOf(params.plan, params.cycle) },
    },
  ];
  await once(`${id}-phases`, async (options) =>
    stripe.subscriptionSchedules.update(
      made.id,
      { end_behavior: 'release', proration_behavior: 'none', phases },
      options,
    ),
  );
}

const discountsOf = ({ discounts = [] }: IntentParams): { discounts?: GivenDiscount[] } =>
  discounts.length === 0 ? {} : { discounts: [...discounts] };

/**
 * Takes off what was scheduled: one that has ended by itself has nothing left to release. What an operator has arranged
 * gives way to nothing but the end of the subscription. CONFLICT (BY_CONTRACT).
 */
async function release(
  stripe: Stripe,
  scheduleId: string,
  { kind, params }: Intent,
  key: string,
): Promise<void> {
  const found = await stripe.subscriptionSchedules.retrieve(scheduleId);
  if (isOver(found)) return;
  if (kind !== 'CANCEL' && isForeignSchedule(found)) throw byContract(params.plan);
  await once(`${key}-release`, async (options) =>
    stripe.subscriptionSchedules.release(scheduleId, {}, options),
  );
}
