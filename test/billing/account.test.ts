import { afterAll, beforeAll, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox } from '#sandbox/stripe/start.js';

import { dataOf, refusal } from '../support/answers.js';
import { testSecretsKey } from '../support/panel.js';
import { runProgram } from '../support/process.js';
import { until, World, type Tenant } from '../support/world.js';
import {
  hurried,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { changesIn } from './support/partners.js';

let panel: BillingPanel;
/** Another account, which knows none of the customers. */
let other: StripeSandbox;
let tenant: Tenant & { customer: string };
beforeAll(async () => {
  panel = await startBillingPanel();
  other = await startStripeSandbox({
    port: 0,
    clock: panel.clock,
    logger: silentLogger,
    billing: { account: 'acct_1Other0000000000' },
  });
  tenant = await proTenant(panel);
  await panel.panel.stop();
});
afterAll(async () => {
  await other.stop();
  await panel.stop();
});

const ofOther = () => ({ STRIPE_SECRET_KEY: other.secretKey, STRIPE_API_BASE: other.url });

const command = async (settings: Record<string, string>, ...args: string[]) =>
  runProgram(
    'stripe-account',
    {
      DATABASE_URL: panel.database.url,
      SECRETS_KEY: testSecretsKey,
      PUBLIC_URL: 'http://panel.test',
      STRIPE_SECRET_KEY: panel.stripe.secretKey,
      STRIPE_API_BASE: panel.stripe.url,
      ...settings,
    },
    { argv: args },
  );

test('with the key of another account, or a live one in the place of a test key, a panel does not start, and says what to do', async () => {
  await expect(panel.another(ofOther())).rejects.toThrow(
    /is of the test account acct_1Other0000000000 .* are of the test account acct_1StandIn00000000.*stripe:account/,
  );
  const live = ['sk', 'live', 'other'].join('_');
  await expect(panel.another({ STRIPE_SECRET_KEY: live })).rejects.toThrow(
    /is of the live account of Stripe.*of the test account acct_1StandIn00000000/,
  );
});

test('where Stripe could not be asked at the start it is asked for nothing once it has told of another account', async () => {
  other.addFault({ kind: 'error', method: 'GET', path: '/v1/account', status: 503, next: 1 });
  const late = await panel.another(ofOther());
  const readiness = async () => (await (await fetch(`${late.url}/readyz`)).json()) as { warnings?: string[] };
  expect(await readiness()).toEqual({ status: 'ready' });
  await panel.clock.advance(61_000);
  await until(async () => (await readiness()).warnings !== undefined, 'the account to be found out');
  expect((await readiness()).warnings?.join()).toMatch(/acct_1Other0000000000/);
  const world = new World(late.url, panel.clock);
  const owner = await signedIn({ clock: panel.clock, world }, tenant);
  expect(refusal(await owner.graphql('mutation { createPortalSession { url } }'))).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'OTHER_STRIPE_ACCOUNT',
  });
  expect((await subscriptionOf(owner)).plan).toBe('PRO');
  await late.stop();
});

test('a key of the same account is no other one, and neither is that of a panel that nobody has paid yet', async () => {
  const same = await panel.another({ STRIPE_SECRET_KEY: ['rk', 'test', 'restricted'].join('_') });
  await same.stop();
  expect((await command({}, 'forget')).output).toMatch(/there is nothing to change/);
  await panel.sql(`update billing.subscription set customer_id = null where tenant_id = $1`, [tenant.id]);
  const fresh = await panel.another(ofOther());
  await fresh.stop();
  await panel.sql(`update billing.subscription set customer_id = $2 where tenant_id = $1`, [
    tenant.id,
    tenant.customer,
  ]);
  // Back, as if it had been copied there.
  expect(await command({}, 'adopt')).toMatchObject({ code: 0 });
});

test('what another account does not know is forgotten by a command, and everybody subscribes anew', async () => {
  const shown = await command(ofOther());
  expect(shown.output).toMatch(/^1 tenants are customers of the test account acct_1StandIn00000000\./);
  expect(await command(ofOther(), 'forget')).toMatchObject({
    code: 0,
    output: expect.stringContaining('of 1 tenants'),
  });
  const next = await panel.another(ofOther());
  const world = new World(next.url, panel.clock);
  const owner = await signedIn({ clock: panel.clock, world }, tenant);
  await hurried(panel, async () => (await owner.instanceLimit()) === 3, 'the plan Free to be told');
  expect(await subscriptionOf(owner)).toMatchObject({ plan: 'FREE', status: 'ACTIVE', periodEnd: null });
  expect(await changesIn(panel, tenant, 'forgetPaymentAccount')).toMatchObject([
    { changes: { customerId: tenant.customer } },
  ]);
  dataOf(await owner.graphql('mutation { createPortalSession { url } }'));
  const [row] = await panel.sql<{ customer: string }>(
    'select customer_id as customer from billing.subscription where tenant_id = $1',
    [tenant.id],
  );
  expect(row!.customer).not.toBe(tenant.customer);
  await next.stop();
}, 60_000);
