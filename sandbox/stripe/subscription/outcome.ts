import { voidInvoice } from '../invoice/void.js';
import type { Invoice, Subscription } from '../store/stored.js';
import type { World } from '../world.js';
import { endSubscription } from './end.js';

/** What an invoice's payment does to its subscription. */
export function onInvoicePaid(world: World, invoice: Invoice): void {
  const before = subscriptionWith(world, invoice);
  if (!before) return;
  if (before.pending_update && before.latest_invoice === invoice.id) applyPendingUpdate(world, before);
  else if (isLatest(world, before, invoice)) becomesActive(world, before);
}

/** An invoice that nobody has to pay any more no longer holds its subscription back. */
export function onInvoiceGivenUp(world: World, invoice: Invoice): void {
  const before = subscriptionWith(world, invoice);
  if (!before || !isLatest(world, before, invoice)) return;
  if (before.status === 'incomplete') expireIncomplete(world, before);
  else if (before.status === 'past_due') becomesActive(world, before);
}

export function onPaymentFailed(world: World, invoice: Invoice): void {
  const before = subscriptionWith(world, invoice);
  if (!before || !isLatest(world, before, invoice)) return;
  if (['active', 'trialing', 'paused'].includes(before.status)) setStatus(world, before, 'past_due');
}

/** What the account's settings want when the last retry has failed. */
export function onRetriesExhausted(world: World, invoice: Invoice): void {
  const before = subscriptionWith(world, invoice);
  if (!before || before.status !== 'past_due') return;
  const { whenRetriesFail: wanted } = world.settings;
  if (wanted === 'cancel') endSubscription(world, before.id, { reason: 'payment_failed' });
  else if (wanted === 'mark_unpaid') setStatus(world, before, 'unpaid');
}

export function setStatus(world: World, before: Subscription, status: Subscription['status']): Subscription {
  const after = world.store.change('subscription', before.id, { status });
  world.emit('customer.subscription.updated', after, before);
  return after;
}

/** A first payment that did not come in its time ends the subscription before it began. */
export function expireIncomplete(world: World, before: Subscription): void {
  const now = world.now(before.test_clock);
  const after = world.store.change('subscription', before.id, {
    status: 'incomplete_expired',
    ended_at: now,
  });
  world.emit('customer.subscription.updated', after, before);
  const invoice = world.store.get('invoice', String(before.latest_invoice));
  if (invoice?.status === 'open') voidInvoice(world, invoice);
}

function becomesActive(world: World, before: Subscription): void {
  if (before.status === 'paused') {
    const after = world.store.change('subscription', before.id, { status: 'active' });
    world.emit('customer.subscription.updated', after, before);
    world.emit('customer.subscription.resumed', after);
  } else if (before.status === 'incomplete' || before.status === 'past_due' || before.status === 'unpaid') {
    setStatus(world, before, 'active');
  }
}

function applyPendingUpdate(world: World, before: Subscription): void {
  const { subscription_items: items } = before.pending_update ?? {};
  const after = world.store.change('subscription', before.id, {
    pending_update: null,
    ...(items && { items: { ...before.items, data: items } }),
  });
  world.emit('customer.subscription.pending_update_applied', after);
  world.emit('customer.subscription.updated', after, before);
}

function subscriptionWith(world: World, invoice: Invoice): Subscription | undefined {
  const id = invoice.parent?.subscription_details?.subscription;
  return id === undefined ? undefined : world.store.get('subscription', String(id));
}

// Only the latest invoice that is final says how a subscription stands.
function isLatest(world: World, subscription: Subscription, invoice: Invoice): boolean {
  const final = world.store
    .all('invoice')
    .filter(
      (one) => one.status !== 'draft' && one.parent?.subscription_details?.subscription === subscription.id,
    );
  return final.at(-1)?.id === invoice.id;
}
