import type Stripe from 'stripe';

import { customerOf } from './customer-of.js';
import type { WebhookLedger } from './ledger.job.js';

/** Which events: these, or all since a moment, of which Stripe keeps 30 days. */
export type Replayed = { ids: readonly string[] } | { since: Date };

/** Fetches events from Stripe and takes them as if they came by webhook, also those that were taken before. */
export async function replayEvents(
  stripe: Stripe,
  ledger: WebhookLedger,
  which: Replayed,
): Promise<{ taken: number; foreign: number }> {
  const counts = { taken: 0, foreign: 0 };
  for await (const event of eventsOf(stripe, which)) {
    const outcome = await ledger.take(event, await customerOf(stripe, event), { again: true });
    counts[outcome === 'not ours' ? 'foreign' : 'taken'] += 1;
  }
  return counts;
}

async function* eventsOf(stripe: Stripe, which: Replayed): AsyncGenerator<Stripe.Event> {
  if ('ids' in which) for (const id of which.ids) yield await stripe.events.retrieve(id);
  else yield* stripe.events.list({ created: { gte: Math.floor(which.since.getTime() / 1000) }, limit: 100 });
}
