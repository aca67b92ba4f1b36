import type Stripe from 'stripe';

import { isPartnerCoupon } from '../partner/partner-tiers.js';
import { once } from './once.js';
import { isOurSchedule, named, phaseAsItIs } from './schedules.js';

/** As Stripe is told of it: a coupon to be redeemed, or a discount that is there already. */
export type GivenDiscount = { coupon: string } | { discount: string };

/** Our coupons among the discounts of a subscription, which are expanded. */
export function partnerCouponsOf({ discounts }: Pick<Stripe.Subscription, 'discounts'>): string[] {
  return discounts.flatMap((discount) => {
    const coupon = couponOf(discount);
    return coupon !== undefined && isPartnerCoupon(coupon) ? [coupon] : [];
  });
}

/** Whether just this one is there, or none where it is null. */
export function isJust(coupons: readonly string[], wanted: string | null): boolean {
  return wanted === null ? coupons.length === 0 : coupons.length === 1 && coupons[0] === wanted;
}

/**
 * Puts the coupon onto a subscription in the place of any other of ours; null takes it off. Other discounts stay. What is
 * paid already stays as it is. A subscription that has ended, or has it so already, is left alone; so is one with a
 * schedule that somebody else has made, whose phases may have terms that are not known here.
 */
export async function setPartnerCoupon(
  stripe: Stripe,
  id: string,
  wanted: string | null,
  key: string,
): Promise<'SET' | 'NOTHING' | 'FOREIGN_SCHEDULE'> {
  const subscription = await stripe.subscriptions.retrieve(id, { expand: ['discounts', 'schedule'] });
  if (subscription.ended_at !== null) return 'NOTHING';
  if (isJust(partnerCouponsOf(subscription), wanted)) return 'NOTHING';
  const { discounts, schedule } = subscription;
  const added = wanted === null ? [] : [{ coupon: wanted }];
  const ours = new Set(discounts.filter(isOurs).map(idOf));
  if (schedule !== null && typeof schedule === 'object' && schedule.status === 'active') {
    if (!isOurSchedule(schedule)) return 'FOREIGN_SCHEDULE';
    // A phase has discounts of its own: the next one would undo what is set on the subscription.
    const phases = phasesOf(schedule, ours, added);
    await once(key, async (options) =>
      stripe.subscriptionSchedules.update(schedule.id, { proration_behavior: 'none', phases }, options),
    );
    return 'SET';
  }
  const kept = discounts
    .filter((discount) => !isOurs(discount))
    .map((discount) => ({ discount: idOf(discount) }));
  const all = [...kept, ...added];
  const wantedDiscounts = all.length === 0 ? '' : all;
  await once(key, async (options) =>
    stripe.subscriptions.update(id, { discounts: wantedDiscounts, proration_behavior: 'none' }, options),
  );
  return 'SET';
}

/** The phases that are not over, as they are but for our coupon. */
function phasesOf(
  { phases, current_phase: current }: Stripe.SubscriptionSchedule,
  ours: ReadonlySet<string>,
  added: readonly { coupon: string }[],
): Stripe.SubscriptionScheduleUpdateParams.Phase[] {
  return phases
    .filter(({ end_date: end }) => current === null || end > current.start_date)
    .map((phase) => {
      const kept = phase.discounts.flatMap((discount): GivenDiscount[] => {
        const [id, coupon] = [named(discount.discount), named(discount.coupon)];
        if (id !== undefined) return ours.has(id) ? [] : [{ discount: id }];
        return coupon === undefined || isPartnerCoupon(coupon) ? [] : [{ coupon }];
      });
      const all: GivenDiscount[] = [...kept, ...added];
      return { ...phaseAsItIs(phase), discounts: all.length === 0 ? '' : all };
    });
}

function isOurs(discount: string | Stripe.Discount): boolean {
  const coupon = couponOf(discount);
  return coupon !== undefined && isPartnerCoupon(coupon);
}

/** Undefined where the discount is not expanded. */
function couponOf(discount: string | Stripe.Discount): string | undefined {
  return typeof discount === 'string' ? undefined : named(discount.source.coupon);
}

const idOf = (discount: string | Stripe.Discount): string =>
  typeof discount === 'string' ? discount : discount.id;
