import type { CheckoutSession } from '../store/stored.js';
import type { World } from '../world.js';

/** Closes a hosted page that nobody finished. */
export function expireSession(world: World, id: string): CheckoutSession {
  const after = world.store.change('checkout.session', id, { status: 'expired', url: null });
  world.emit('checkout.session.expired', after);
  return after;
}
