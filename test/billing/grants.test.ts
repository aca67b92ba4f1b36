import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { HeldLock } from '../support/held-lock.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  change,
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

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

/** Grants it, and waits for no area to hear of it. */
async function grant(tenant: Tenant, plan: string): Promise<void> {
  const { world } = panel;
  const input = { tenantId: tenant.id, plan };
  dataOf(
    await world.graphql(
      'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }',
      { input },
      await world.administrator(),
    ),
  );
}

async function endGrant(tenant: Tenant): Promise<void> {
  const { world } = panel;
  const ended = 'mutation($id: ID!) { endPlanGrant(tenantId: $id) { id } }';
  dataOf(await world.graphql(ended, { id: tenant.id }, await world.administrator()));
}

/** Has billing hear of nothing that is in force until it is let go. */
const deaf = async () => HeldLock.by(panel, 'lock table billing.entitlement in share mode');

const known = async (tenant: Tenant) =>
  until(async () => panel.world.knowsGrants(tenant.id), 'every area to know what is in force');

test('a plan that is bought while a grant is on its way takes its place, in billing as everywhere', async () => {
  const tenant = await panel.world.tenant();
  await giveCard(panel, tenant);
  await using held = await deaf();
  await grant(tenant, 'ENTERPRISE');
  await held.wanted();
  expect(dataOf(await change(tenant, { plan: 'PRO' })).changeSubscription).toMatchObject({ plan: 'PRO' });
  await until(async () => (await tenant.instanceLimit()) === 25, 'what was bought to reach fleet');
  await held.release();
  await known(tenant);
  expect(await subscriptionOf(tenant)).toMatchObject({
    plan: 'PRO',
    planSource: 'SUBSCRIPTION',
    instanceLimit: 25,
  });
});

test('a grant holds though billing, which has not heard of it, decides that nothing may be added', async () => {
  const made = await panel.world.tenant();
  const { data: prices } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  await panel.sdk.subscriptions.create({
    customer: await customerOf(panel, made),
    items: [{ price: prices[0]!.id }],
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await applied(panel);
  await until(async () => (await made.instanceLimit()) === 25, 'the trial to reach fleet');
  await known(made);
  await using held = await deaf();
  await grant(made, 'ENTERPRISE');
  await held.wanted();
  await pass(panel, 8 * dayMs);
  const tenant = await signedIn(panel, made);
  expect(await subscriptionOf(tenant)).toMatchObject({ status: 'PAUSED', isReadOnly: true });
  await held.release();
  const readOnly = async () =>
    panel.sql<{ plan: string; is_read_only: boolean }>(
      'select plan, is_read_only from fleet.entitlement where tenant_id = $1',
      [tenant.id],
    );
  await until(async () => (await readOnly())[0]!.is_read_only, 'the decision to reach fleet');
  await known(tenant);
  expect(await readOnly()).toEqual([{ plan: 'ENTERPRISE', is_read_only: true }]);
  expect(await subscriptionOf(tenant)).toMatchObject({
    plan: 'ENTERPRISE',
    planSource: 'GRANT',
    isReadOnly: true,
  });
}, 120_000);

test('a plan that is granted to who may add nothing lets it add again, which billing tells', async () => {
  const made = await proTenant(panel);
  await giveCard(panel, made, 'pm_card_chargeCustomerFail');
  await pass(panel, 31 * dayMs);
  await pass(panel, 15 * dayMs);
  const tenant = await signedIn(panel, made);
  await until(async () => (await subscriptionOf(tenant)).isReadOnly, 'the grace to be over');
  await grant(tenant, 'ENTERPRISE');
  await known(tenant);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'ENTERPRISE', isReadOnly: false });
  await tenant.node();
  // And back again, to what is subscribed to and not paid.
  await endGrant(tenant);
  await until(
    async () => (await subscriptionOf(tenant)).planSource === 'SUBSCRIPTION',
    'the end of the grant',
  );
  await until(async () => (await tenant.instanceLimit()) === 25, 'the plan that is paid to reach fleet');
  await known(tenant);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', isReadOnly: true });
  await expect(tenant.node()).rejects.toThrow('enroll: 409');
  // The plan that it has already, granted, lets it add as well, until that has an end.
  await grant(tenant, 'PRO');
  await known(tenant);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', planSource: 'GRANT', isReadOnly: false });
  await tenant.node();
  await endGrant(tenant);
  await until(async () => (await subscriptionOf(tenant)).isReadOnly, 'the end of this grant');
}, 120_000);

test('a grant that follows the end of another holds, however late billing hears of that', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const same = await (await panel.world.tenant()).grantPlan('PRO');
  const last = await (await panel.world.tenant()).grantPlan('PRO');
  await using held = await deaf();
  await grant(tenant, 'ENTERPRISE');
  await held.wanted();
  await endGrant(tenant);
  await grant(tenant, 'PRO');
  await endGrant(same);
  await grant(same, 'PRO');
  await endGrant(last);
  await held.release();
  await until(
    async () => (await last.instanceLimit()) === 3,
    'the ends to have been taken, one after the other',
  );
  await known(tenant);
  expect(await subscriptionOf(tenant)).toMatchObject({ plan: 'PRO', planSource: 'GRANT' });
  expect(await tenant.instanceLimit()).toBe(25);
  await known(same);
  expect(await subscriptionOf(same)).toMatchObject({ plan: 'PRO', planSource: 'GRANT' });
  expect(await same.instanceLimit()).toBe(25);
}, 60_000);
