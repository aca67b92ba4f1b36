import { z } from 'zod';

import { invalid, missing } from '../errors.js';
import { isWithin, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { inPath, operation } from '../http/operation.js';
import { finalizeInvoice } from '../invoice/finalize.js';
import { payInvoice } from '../invoice/pay.js';
import type { Subscription } from '../store/stored.js';
import type { World } from '../world.js';
import { createSubscription } from './create.js';
import { endSubscription } from './end.js';
import { billSubscription } from './invoice.js';
import { cancellation, change, creation, resumption } from './parameters.js';
import { creditAll } from './proration.js';
import { resumeSubscription } from './resume.js';
import { updateSubscription } from './update.js';

const path = '/v1/subscriptions';

export const subscriptionOperations = [
  operation('POST', path, creation, (world, wanted) => createSubscription(world, wanted)),
  operation('POST', `${path}/:id`, change, (world, wanted, at) =>
    updateSubscription(world, inPath(world, 'subscription', at).id, wanted),
  ),
  operation('POST', `${path}/:id/resume`, resumption, (world, wanted, at) =>
    resumeSubscription(world, inPath(world, 'subscription', at), wanted.billing_cycle_anchor?.type ?? 'now'),
  ),
  operation(
    'DELETE',
    `${path}/:id`,
    cancellation,
    (world, { cancellation_details: details, invoice_now: invoices, prorate: prorates }, at) => {
      const before = inPath(world, 'subscription', at);
      if (before.ended_at !== null) throw missing('subscription', before.id);
      if (prorates) creditAll(world, before, world.now(before.test_clock));
      if (invoices) billAtEnd(world, before);
      return endSubscription(world, before.id, {
        reason: 'cancellation_requested',
        comment: details?.comment,
        feedback: details?.feedback,
      });
    },
  ),
  retrieval('subscription', path),
  operation('DELETE', `${path}/:id/discount`, z.strictObject({}), (world, _, at) => {
    const before = inPath(world, 'subscription', at);
    const discount = world.store.get('discount', String(before.discounts[0]));
    if (!discount)
      throw invalid(`No active discount for subscription: ${before.id}`, undefined, 'resource_missing');
    const after = world.store.change('subscription', before.id, { discounts: [] });
    world.emit('customer.discount.deleted', discount);
    world.emit('customer.subscription.updated', after, before);
    return { ...discount, deleted: true };
  }),
  listing(
    'subscription',
    path,
    {
      created: range.optional(),
      customer: text.optional(),
      price: text.optional(),
      status: z
        .enum([
          'active',
          'all',
          'canceled',
          'ended',
          'incomplete',
          'incomplete_expired',
          'past_due',
          'paused',
          'trialing',
          'unpaid',
        ])
        .optional(),
      test_clock: text.optional(),
    },
    (subscription, { created, customer, price, status, test_clock: clock }) =>
      isWithin(subscription.created, created) &&
      (customer === undefined || subscription.customer === customer) &&
      (price === undefined || subscription.items.data.some((item) => item.price.id === price)) &&
      hasStatus(subscription, status) &&
      // Subscriptions on test clocks are not shown unless they, or their customer, are asked for.
      (clock === undefined
        ? customer !== undefined || subscription.test_clock === null
        : subscription.test_clock === clock),
  ),
];

function hasStatus({ status, ended_at: ended }: Subscription, wanted: string | undefined): boolean {
  if (wanted === undefined) return status !== 'canceled';
  if (wanted === 'ended') return ended !== null;
  return wanted === 'all' || status === wanted;
}

function billAtEnd(world: World, subscription: Subscription): void {
  const now = world.now(subscription.test_clock);
  const start = subscription.items.data[0]?.current_period_start ?? now;
  const draft = billSubscription(world, subscription, {
    reason: 'subscription_update',
    lines: [],
    period: { start, end: now },
    advances: true,
  });
  const open = finalizeInvoice(world, draft.id);
  if (open.status === 'open') payInvoice(world, open, { isAutomatic: true });
}
