import { systemClock } from '#platform/clock.js';
import { OperatorError } from '#platform/errors.js';
import { billingEnv } from '#subgraphs/billing/env.js';
import { requireStripe } from '#subgraphs/billing/stripe/stripe-client.js';
import { WebhookLedger } from '#subgraphs/billing/webhook/ledger.job.js';
import { replayEvents } from '#subgraphs/billing/webhook/replay.service.js';

import { panelEnv } from '../env.js';
import { run } from '../run.js';
import { withDatabase } from '../with-database.js';

const usage =
  'npm run stripe:replay -- evt_... [evt_...], or --since 2026-11-01T00:00:00Z (Stripe keeps 30 days)';

// Takes events of Stripe once more, by their ids or since a moment: panels that run act on them within seconds.
await run(async () => {
  const [first, ...rest] = process.argv.slice(2);
  if (first === undefined) throw new OperatorError(usage);
  const since = first === '--since' ? new Date(rest[0] ?? '') : undefined;
  if (since && Number.isNaN(since.getTime())) throw new OperatorError(usage);
  const stripe = requireStripe(billingEnv());
  await withDatabase(panelEnv(), async (open) => {
    const database = await open('billing');
    const ledger = new WebhookLedger(database, systemClock);
    const counts = await replayEvents(stripe, ledger, since ? { since } : { ids: [first, ...rest] });
    process.stdout.write(
      `${counts.taken} events taken again, ${counts.foreign} of no tenant of this panel.\n`,
    );
  });
});
