import { z } from 'zod';

import { wantedDiscounts } from '../catalogue/discount.js';
import { invalid, StripeError } from '../errors.js';
import { expand, flag, integer, text } from '../http/form.js';
import { existing, operation } from '../http/operation.js';
import { randomText } from '../store/ids.js';
import type { Invoice, Subscription } from '../store/stored.js';
import { createSubscription } from '../subscription/create.js';
import { periodLine, rhythmOfAll } from '../subscription/items.js';
import { cycleAnchor, discounts, items, nowOr, prorationBehavior } from '../subscription/parameters.js';
import { creditAll } from '../subscription/proration.js';
import { resumeSubscription } from '../subscription/resume.js';
import { changeItems } from '../subscription/update.js';
import { periodAt } from '../time/cycle.js';
import type { World } from '../world.js';
import { makeItem } from './lines.js';
import { draftOf, pendingItems } from './make.js';

const parameters = z.strictObject({
  customer: text.optional(),
  currency: text.optional(),
  discounts: discounts.optional(),
  expand,
  invoice_items: z
    .array(z.strictObject({ amount: integer, currency: text, description: text.optional() }))
    .optional(),
  preview_mode: z.enum(['next']).optional(),
  subscription: text.optional(),
  subscription_details: z
    .strictObject({
      billing_cycle_anchor: cycleAnchor.optional(),
      cancel_at_period_end: flag.optional(),
      cancel_now: flag.optional(),
      items: items.optional(),
      proration_behavior: prorationBehavior.optional(),
      proration_date: integer.optional(),
      resume_at: z.enum(['now']).optional(),
      trial_end: nowOr.optional(),
    })
    .optional(),
});

type Wanted = z.infer<typeof parameters>;

/** The next invoice of a subscription, also as it would be after a change, or the first one of a new subscription. */
export const previewOperation = operation(
  'POST',
  '/v1/invoices/create_preview',
  parameters,
  (world, wanted) =>
    // Everything is really done, the invoice looked at, and all taken back.
    world.store.trial(() => asPreview(previewed(world, wanted))),
);

function previewed(world: World, wanted: Wanted): Invoice {
  const subscription =
    wanted.subscription === undefined
      ? undefined
      : existing(world, 'subscription', wanted.subscription, 'subscription');
  const customerId = subscription ? String(subscription.customer) : wanted.customer;
  if (customerId === undefined)
    throw invalid(
      'You must specify at least one of customer, customer_details or subscription.',
      'customer',
      'parameter_missing',
    );
  const customer = existing(world, 'customer', customerId, 'customer');
  if (wanted.customer !== undefined && wanted.customer !== customerId)
    throw invalid(
      `The subscription ${wanted.subscription} does not belong to the customer ${wanted.customer}.`,
      'subscription',
    );
  for (const { amount, currency, description } of wanted.invoice_items ?? [])
    makeItem(world, { customer: customerId, currency, amount, description });
  if (subscription) return nextInvoice(world, subscription, wanted);
  if (wanted.subscription_details?.items) return firstInvoice(world, customerId, wanted);
  const currency = wanted.currency ?? customer.currency ?? 'usd';
  const pending = pendingItems(world, customerId, currency);
  if (pending.length === 0) throw nothingUpcoming(customerId);
  const now = world.nowFor(customerId);
  return draftOf(world, '', {
    customer,
    reason: 'upcoming',
    currency,
    lines: [],
    items: pending,
    discounts: [],
    period: { start: now, end: now },
    advances: true,
  });
}

function nextInvoice(
  world: World,
  before: Subscription,
  { subscription_details: details = {}, discounts: wantedOff }: Wanted,
): Invoice {
  const now = world.now(before.test_clock);
  if (before.ended_at !== null) throw nothingUpcoming(String(before.customer));
  if (wantedOff !== undefined) {
    const ids = wantedDiscounts(world, wantedOff ?? [], {
      customer: String(before.customer),
      subscription: before.id,
    });
    world.store.change('subscription', before.id, { discounts: ids });
  }
  if (details.trial_end === 'now' && before.status === 'trialing')
    world.store.change('subscription', before.id, { status: 'active', trial_end: now });
  const { cancel_now: isCancelled, cancel_at_period_end: endsLater, trial_end: _, ...change } = details;
  if (details.resume_at === 'now')
    resumeSubscription(world, before, change.billing_cycle_anchor?.type ?? 'now');
  else if (isCancelled && details.proration_behavior !== 'none')
    creditAll(world, before, details.proration_date ?? now);
  else if (change.items || change.billing_cycle_anchor?.type === 'now')
    changeItems(world, before.id, change, now, true);
  const after = existing(world, 'subscription', before.id);
  const made =
    after.latest_invoice === before.latest_invoice
      ? undefined
      : world.store.get('invoice', String(after.latest_invoice));
  if (made) return { ...made, billing_reason: 'upcoming' };
  return renewal(world, after, Boolean(isCancelled || (endsLater ?? before.cancel_at !== null)));
}

/** What the end of the period will ask for; of a subscription that ends then, what is pending only. */
function renewal(world: World, subscription: Subscription, isLast: boolean): Invoice {
  const [first] = subscription.items.data;
  const customer = existing(world, 'customer', String(subscription.customer));
  if (!first) throw nothingUpcoming(customer.id);
  const end = first.current_period_end;
  const period = periodAt(subscription.billing_cycle_anchor, rhythmOfAll(subscription.items.data), end);
  const pending = pendingItems(world, customer.id, subscription.currency, subscription.id);
  if (isLast && pending.length === 0) throw nothingUpcoming(customer.id);
  const draft = draftOf(world, '', {
    customer,
    subscription,
    reason: 'upcoming',
    currency: subscription.currency,
    lines: isLast ? [] : subscription.items.data.map((item) => periodLine(world, item, period, false)),
    items: pending,
    discounts: subscription.discounts.map(String),
    period: { start: first.current_period_start, end },
    collection: subscription.collection_method as 'charge_automatically' | 'send_invoice',
    daysUntilDue: subscription.days_until_due,
    advances: true,
  });
  const attempt =
    draft.collection_method === 'charge_automatically' ? end + world.settings.draftSeconds : null;
  return { ...draft, created: end, next_payment_attempt: attempt };
}

function firstInvoice(
  world: World,
  customer: string,
  { subscription_details: details, discounts: wantedOff }: Wanted,
): Invoice {
  const made = createSubscription(world, {
    customer,
    items: (details?.items ?? []).map(({ price, quantity, metadata }) => ({ price, quantity, metadata })),
    discounts: wantedOff,
    trial_end: details?.trial_end,
    payment_behavior: 'default_incomplete',
  });
  return existing(world, 'invoice', String(made.latest_invoice));
}

/** A list within a resource has so many at first. */
const linesShown = 10;

function asPreview(invoice: Invoice): Invoice {
  const id = `upcoming_in_1${randomText(23)}`;
  const data = invoice.lines.data
    .slice(0, linesShown)
    .map((line) => ({ ...line, id: `il_tmp_1${randomText(23)}`, invoice: id }));
  const due = invoice.amount_due;
  return {
    ...invoice,
    id,
    billing_reason: 'upcoming',
    amount_paid: 0,
    amount_remaining: due,
    attempted: false,
    attempt_count: 0,
    automatically_finalizes_at: null,
    effective_at: null,
    ending_balance: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    number: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    lines: {
      ...invoice.lines,
      data,
      has_more: invoice.lines.data.length > linesShown,
      url: `/v1/invoices/upcoming/lines`,
    },
  };
}

function nothingUpcoming(customer: string): StripeError {
  return new StripeError(404, 'invalid_request_error', `No upcoming invoices for customer: ${customer}`, {
    code: 'invoice_upcoming_none',
  });
}
