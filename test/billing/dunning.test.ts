import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mailbox } from '../identity/support/mailbox.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  dayMs,
  giveCard,
  pass,
  proTenant,
  startBillingPanel,
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
