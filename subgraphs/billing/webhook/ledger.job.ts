import type { Sweep } from '#platform/membership/sweep.js';

const keptMs = 35 * 24 * 60 * 60 * 1000;
const batch = 5_000;

/** Forgets webhooks of more than a month ago, longer than Stripe repeats or lists them. */
export const ledgerRetentionSweep: Sweep = {
  name: 'webhook.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const gone = await em.execute<unknown[]>(
      `delete from billing.webhook_event where (tenant_id, event_id) in (
         select tenant_id, event_id from billing.webhook_event where received_at <= ?
         order by received_at limit ?) returning 1`,
      [new Date(now.getTime() - keptMs), batch],
    );
    return gone.length === batch ? 'more' : 'done';
  },
};
