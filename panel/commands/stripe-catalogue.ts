import { billingEnv } from '#subgraphs/billing/env.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { requireStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { run } from '../run.js';

// Makes the products and prices of the plans at Stripe, or finds them there. Safe to repeat.
await run(async () => {
  for (const line of await ensureCatalogue(requireStripe(billingEnv()))) process.stdout.write(`${line}\n`);
});
