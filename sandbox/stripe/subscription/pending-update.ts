import { voidInvoice } from '../invoice/void.js';
import type { World } from '../world.js';

/** A change that was not paid for in time is dropped, with its invoice. */
export function expirePendingUpdate(world: World, id: string): void {
  const before = world.store.get('subscription', id);
  if (!before?.pending_update) return;
  const after = world.store.change('subscription', id, { pending_update: null });
  const invoice = world.store.get('invoice', String(before.latest_invoice));
  if (invoice?.status === 'open') voidInvoice(world, invoice);
  world.emit('customer.subscription.pending_update_expired', after);
  world.emit('customer.subscription.updated', after, before);
}
