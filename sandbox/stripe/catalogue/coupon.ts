import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, decimal, expand, integer, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, existing, given, inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { Coupon } from '../store/stored.js';
import type { World } from '../world.js';

const path = '/v1/coupons';

/** The coupon, if somebody may still get it. */
export function redeemableCoupon(world: World, id: string, param: string): Coupon {
  const coupon = existing(world, 'coupon', id, param);
  const isOver = coupon.redeem_by !== null && coupon.redeem_by <= world.now(null);
  const isUsedUp = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
  if (isOver || isUsedUp || !coupon.valid) throw invalid(`Coupon expired: ${id}`, param, 'coupon_expired');
  return coupon;
}

export const couponOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      amount_off: integer.optional(),
      currency: text.length(3).optional(),
      duration: z.enum(['forever', 'once', 'repeating']).optional(),
      duration_in_months: integer.optional(),
      expand,
      id: text.optional(),
      max_redemptions: integer.optional(),
      metadata: metadata.optional(),
      name: text.max(40).optional(),
      percent_off: decimal.optional(),
      redeem_by: integer.optional(),
    }),
    (world, { metadata: data, ...fields }) => {
      if ((fields.percent_off === undefined) === (fields.amount_off === undefined))
        throw invalid('Must provide percent_off or amount_off.', 'percent_off', 'parameter_missing');
      if (fields.percent_off !== undefined && (fields.percent_off <= 0 || fields.percent_off > 100))
        throw invalid(
          'Coupon percent_off must be greater than 0 and less than or equal to 100.',
          'percent_off',
        );
      if (fields.amount_off !== undefined && fields.amount_off < 1)
        throw invalid(
          'This value must be greater than or equal to 1.',
          'amount_off',
          'parameter_invalid_integer',
        );
      if (fields.amount_off !== undefined && fields.currency === undefined)
        throw invalid('You must pass currency when passing amount_off', 'currency', 'parameter_missing');
      if ((fields.duration === 'repeating') !== (fields.duration_in_months !== undefined))
        throw invalid(
          'duration_in_months goes with the duration `repeating`, and with no other.',
          'duration_in_months',
        );
      if (fields.id !== undefined && world.store.get('coupon', fields.id))
        throw invalid('Coupon already exists.', 'id', 'resource_already_exists');
      const coupon = world.store.put('coupon', {
        id: newId('coupon'),
        object: 'coupon',
        amount_off: null,
        created: world.now(null),
        currency: null,
        duration: 'once',
        duration_in_months: null,
        livemode: false,
        max_redemptions: null,
        metadata: changedMetadata({}, data),
        name: null,
        percent_off: null,
        redeem_by: null,
        times_redeemed: 0,
        valid: true,
        ...given(fields),
      });
      world.emit('coupon.created', coupon);
      return coupon;
    },
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({ expand, metadata: metadata.optional(), name: text.max(40).optional() }),
    (world, { metadata: data, name }, at) => {
      const before = inPath(world, 'coupon', at);
      const after = world.store.change('coupon', before.id, {
        ...given({ name }),
        metadata: changedMetadata(before.metadata, data),
      });
      world.emit('coupon.updated', after, before);
      return after;
    },
  ),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const coupon = inPath(world, 'coupon', at);
    // Who has the discount keeps it, so what it is worth stays known.
    world.store.delete('coupon', coupon.id);
    world.emit('coupon.deleted', coupon);
    return deletion('coupon', coupon.id);
  }),
  retrieval('coupon', path),
  listing('coupon', path, { created: range.optional() }, (coupon, { created }) =>
    isWithin(coupon.created, created),
  ),
];
