import type Stripe from 'stripe';

const mark = { key: 'paused_for', value: 'suspension' };

type Pausable = Pick<Stripe.Subscription, 'id' | 'pause_collection' | 'metadata'>;

/** By whom the collection of a subscription's invoices was paused: here, for a suspension, or by somebody at Stripe. */
export function pausedBy({
  pause_collection: pause,
  metadata,
}: Pick<Pausable, 'pause_collection' | 'metadata'>): 'HERE' | 'THERE' | undefined {
  if (pause === null) return undefined;
  return metadata[mark.key] === mark.value ? 'HERE' : 'THERE';
}

/**
 * Has a subscription's invoices voided as they are made, or charged again from the next one on. What somebody else has
 * paused stays so. Answers whether anything was to be done. Safe to repeat.
 */
export async function setPaused(stripe: Stripe, found: Pausable, isPaused: boolean): Promise<boolean> {
  if (isPaused ? pausedBy(found) !== undefined : pausedBy(found) !== 'HERE') return false;
  await stripe.subscriptions.update(found.id, {
    pause_collection: isPaused ? { behavior: 'void' } : '',
    metadata: { [mark.key]: isPaused ? mark.value : '' },
  });
  return true;
}
