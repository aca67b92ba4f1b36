import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mailbox } from '../identity/support/mailbox.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  customerOf,
  dayMs,
  giveCard,
  pass,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';

let mailbox: Mailbox;
let panel: BillingPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startBillingPanel({
    billing: { retryAfterDays: [5, 5, 6], whenRetriesFail: 'mark_unpaid' },
    settings: { SMTP_URL: mailbox.url },
  });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const subjectsTo = (tenant: Tenant) =>
  mailbox.mails.filter(({ to }) => to === tenant.account.email).map(({ subject }) => subject);

const subscriptionMails = (tenant: Tenant) =>
  subjectsTo(tenant).filter((subject) => subject !== 'Confirm your e-mail address');

test('each step of the ladder is mailed once to whoever pays, the last one when nothing can be added', async () => {
  const tenant = await proTenant(panel);
  await giveCard(panel, tenant, 'pm_card_chargeCustomerFail');
  await panel.clock.leap(31 * dayMs);
  panel.stripe.settle();
  await applied(panel);
  for (let index = 0; index < 16; index += 1) await pass(panel, dayMs);
  await until(async () => subjectsTo(tenant).includes('Your subscription is restricted'), 'the last mail');
  expect(subjectsTo(tenant)).toEqual([
    'Confirm your e-mail address',
    'A payment failed',
    'A payment is overdue',
    'A payment is overdue',
    'Your subscription is about to be restricted',
    'Your subscription is restricted',
  ]);
}, 120_000);

test('the grace of a contract that is paid by invoice begins when the invoice is due', async () => {
  const tenant = await panel.world.tenant();
  const product = await panel.sdk.products.create({ name: 'Enterprise of Acme' });
  const price = await panel.sdk.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1_200_000,
    recurring: { interval: 'year' },
    lookup_key: `quazzar_enterprise_yearly_${tenant.id}`,
  });
  await panel.sdk.subscriptions.create({
    customer: await customerOf(panel, tenant),
    items: [{ price: price.id }],
    collection_method: 'send_invoice',
    days_until_due: 30,
  });
  await applied(panel);
  await pass(panel, 31 * dayMs);
  const standing = async () => subscriptionOf(await signedIn(panel, tenant));
  // The step that is waited for may have been at work when time was moved past it.
  const become = async (isSo: () => Promise<boolean>, what: string) =>
    until(async () => {
      await panel.clock.leap(1_000);
      return isSo();
    }, what);
  await become(async () => (await standing()).status === 'PAST_DUE', 'the invoice to be overdue');
  expect(await standing()).toMatchObject({ plan: 'ENTERPRISE', isReadOnly: false });
  await become(async () => subscriptionMails(tenant).length > 0, 'the first mail');
  expect(subscriptionMails(tenant)).toEqual(['A payment failed']);
  await pass(panel, 12 * dayMs);
  expect(await standing()).toMatchObject({ isReadOnly: false });
  await pass(panel, 2 * dayMs);
  await become(
    async () => subscriptionMails(tenant).includes('Your subscription is restricted'),
    'the last mail',
  );
  expect(await standing()).toMatchObject({ isReadOnly: true, overduePayment: { amountDue: 1_200_000 } });
}, 120_000);

test('a panel without test clocks shows none and advances nobody, and customers are made without', async () => {
  const tenant = await panel.world.tenant();
  expect((await tenant.graphql('{ testClock { now } }')).data).toEqual({ testClock: null });
  const to = new Date(panel.clock.now().getTime() + dayMs).toISOString();
  const answer = await tenant.graphql(
    'mutation($input: AdvanceTestClockInput!) { advanceTestClock(input: $input) { status } }',
    { input: { to } },
  );
  expect(answer.errors?.[0]).toMatchObject({
    message: 'This panel was started without TEST_CLOCKS: its time is that of the machine',
    extensions: { code: 'CONFLICT', reason: 'TEST_CLOCKS_OFF' },
  });
  const customer = await panel.sdk.customers.retrieve(await giveCard(panel, tenant));
  expect(customer).toMatchObject({ test_clock: null });
  expect(await panel.sql('select 1 from billing.test_clock')).toEqual([]);
});
