import { systemClock } from '#platform/clock.js';
import { OperatorError } from '#platform/errors.js';
import { adoptAccount, forgetAccount, readAccount } from '#subgraphs/billing/account/change-account.job.js';
import { fetchAccount, isLiveKey, isSame, nameOf } from '#subgraphs/billing/account/known-account.js';
import { billingEnv } from '#subgraphs/billing/env.js';
import { requireStripe } from '#subgraphs/billing/stripe/stripe-client.js';
import { billingEntities } from '#subgraphs/billing/subgraph.js';

import { panelEnv } from '../env.js';
import { run } from '../run.js';
import { withDatabase } from '../with-database.js';

const usage =
  'npm run stripe:account, or npm run stripe:account -- forget, or npm run stripe:account -- adopt';

// Says of which account of Stripe the customers in the database are, and makes them another one's or forgets them.
await run(async () => {
  const [act = 'show', ...rest] = process.argv.slice(2);
  if (!['show', 'forget', 'adopt'].includes(act) || rest.length > 0) throw new OperatorError(usage);
  const settings = billingEnv();
  const stripe = requireStripe(settings);
  await withDatabase(panelEnv(), async (open) => {
    const database = await open('billing', billingEntities);
    const found = await fetchAccount(stripe, isLiveKey(settings.STRIPE_SECRET_KEY ?? ''));
    const now = systemClock.now();
    const say = (line: string) => process.stdout.write(`${line}\n`);
    if (act === 'forget')
      return void say(
        `Forgotten: the customers of ${await forgetAccount(database, found, now)} tenants. From now on it is ${nameOf(found)}.`,
      );
    if (act === 'adopt') {
      await adoptAccount(database, found, now);
      say(`From now on the customers are those of ${nameOf(found)}.`);
      return;
    }
    const { kept, customers } = await readAccount(database, found, now);
    say(`${customers} tenants are customers of ${nameOf(kept)}. STRIPE_SECRET_KEY is of ${nameOf(found)}.`);
    if (!isSame(kept, found))
      say('A panel does not start so: see -- forget and -- adopt in docs/operating.md.');
  });
});
