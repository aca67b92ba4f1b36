import { existing } from '../http/operation.js';
import { partOf } from '../invoice/money.js';
import { newId } from '../store/ids.js';
import type { Coupon, Discount } from '../store/stored.js';
import { addMonths } from '../time/cycle.js';
import type { World } from '../world.js';
import { redeemableCoupon } from './coupon.js';

export interface WantedDiscount {
  coupon?: string | undefined;
  discount?: string | undefined;
}

/** The terms of a discount; they outlive the coupon. */
export function couponOf(world: World, { source }: Discount): Coupon {
  const id = String(source.coupon);
  return world.store.get('coupon', id) ?? (world.store.deletedOne(id) as Coupon);
}

/** Redeems a coupon for a customer, for one subscription or one invoice of theirs. */
function redeem(
  world: World,
  id: string,
  owner: { customer: string; subscription?: string; invoice?: string },
  param: string,
): Discount {
  const coupon = redeemableCoupon(world, id, param);
  const start = world.nowFor(owner.customer);
  world.store.change('coupon', coupon.id, { times_redeemed: coupon.times_redeemed + 1 });
  const discount = world.store.put('discount', {
    id: newId('discount'),
    object: 'discount',
    checkout_session: null,
    customer: owner.customer,
    customer_account: null,
    end: coupon.duration === 'repeating' ? addMonths(start, coupon.duration_in_months ?? 1) : null,
    invoice: owner.invoice ?? null,
    invoice_item: null,
    promotion_code: null,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: owner.subscription ?? null,
    subscription_item: null,
  });
  world.emit('customer.discount.created', discount);
  return discount;
}

/** The ids of the discounts that a parameter asks for: coupons are redeemed, discounts taken over. */
export function wantedDiscounts(
  world: World,
  wanted: readonly WantedDiscount[],
  owner: { customer: string; subscription?: string; invoice?: string },
): string[] {
  return wanted.map(({ coupon, discount }, index) =>
    coupon === undefined
      ? existing(world, 'discount', discount ?? '', `discounts[${index}][discount]`).id
      : redeem(world, coupon, owner, `discounts[${index}][coupon]`).id,
  );
}

/** The discounts among these that still count at a moment. */
export function discountsAt(world: World, ids: readonly string[], at: number): Discount[] {
  return ids.flatMap((id) => {
    const discount = world.store.get('discount', id);
    return discount && (discount.end === null || discount.end > at) ? [discount] : [];
  });
}

/** What each of several discounts takes off an amount, one after the other on what is left. */
export function reductions(
  world: World,
  discounts: readonly Discount[],
  amount: number,
): { discount: string; amount: number }[] {
  let left = amount;
  return discounts.map((discount) => {
    const { percent_off: percent, amount_off: off } = couponOf(world, discount);
    // Percentages have two decimals at most.
    const wanted = percent === null ? (off ?? 0) : partOf(left, Math.round(percent * 100), 10_000);
    const taken = Math.max(0, Math.min(wanted, left));
    left -= taken;
    return { discount: discount.id, amount: taken };
  });
}
