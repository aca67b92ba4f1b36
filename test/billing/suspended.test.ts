import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import type { Tenant } from '../support/world.js';
import {
  applied,
  customerOf,
  dayMs,
  hurried,
  proTenant,
  signedIn,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';
import { paidBy } from './support/partner-money.js';
import { changesIn } from './support/partners.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

test('of a tenant that is suspended nothing is collected, and again from the next invoice on once it is restored', async () => {
  const tenant = await proTenant(panel);
  const { customer } = tenant;
  const pause = async () => {
    const { data } = await panel.sdk.subscriptions.list({ customer });
    return data[0]?.pause_collection?.behavior;
  };
  const paid = async () => (await paidBy(panel, customer)).length;
  const month = async () => {
    await panel.clock.leap(31 * dayMs);
    panel.stripe.settle();
    await applied(panel);
  };
  await byAdministrator('suspendTenant', tenant);
  await hurried(panel, async () => (await pause()) === 'void', 'the collection to be paused');
  await month();
  await month();
  expect(await paid()).toBe(1);
  const { data } = await panel.sdk.invoices.list({ customer });
  expect(data.map(({ status }) => status)).toEqual(['void', 'void', 'paid']);
  // Somebody takes it off at Stripe: the next look puts it there again.
  const [subscription] = (await panel.sdk.subscriptions.list({ customer })).data;
  await panel.sdk.subscriptions.update(subscription!.id, { pause_collection: '' });
  await hurried(panel, async () => (await pause()) === 'void', 'the collection to be paused again');

  await byAdministrator('restoreTenant', tenant);
  await hurried(panel, async () => (await pause()) === undefined, 'the collection to go on');
  await month();
  expect(await paid()).toBe(2);
  expect((await subscriptionOf(await signedIn(panel, tenant))).status).toBe('ACTIVE');
  expect(await changesIn(panel, tenant, 'pauseCollection')).toHaveLength(2);
  expect(await changesIn(panel, tenant, 'resumeCollection')).toHaveLength(1);
}, 120_000);

test('what an operator has paused at Stripe stays so through a suspension, and a page cannot be paid on in it', async () => {
  const tenant = await proTenant(panel);
  const [subscription] = (await panel.sdk.subscriptions.list({ customer: tenant.customer })).data;
  const { id } = subscription!;
  await panel.sdk.subscriptions.update(id, { pause_collection: { behavior: 'keep_as_draft' } });
  const buyer = await panel.world.tenant();
  dataOf(await buyer.graphql('mutation { createCheckoutSession(input: { plan: PRO }) { url } }'));
  const open = async () => {
    const { data } = await panel.sdk.checkout.sessions.list({ customer: await customerOf(panel, buyer) });
    return data.filter(({ status }) => status === 'open').length;
  };
  expect(await open()).toBe(1);
  for (const one of [tenant, buyer]) await byAdministrator('suspendTenant', one);
  await hurried(panel, async () => (await open()) === 0, 'the page to be closed');
  await byAdministrator('restoreTenant', tenant);
  await panel.clock.leap(3_700_000);
  await applied(panel);
  expect((await panel.sdk.subscriptions.retrieve(id)).pause_collection?.behavior).toBe('keep_as_draft');
}, 60_000);

async function byAdministrator(mutation: 'suspendTenant' | 'restoreTenant', { id }: Tenant): Promise<void> {
  dataOf(
    await panel.world.graphql(
      `mutation($id: ID!) { ${mutation}(id: $id) { id } }`,
      { id },
      await panel.world.administrator(),
    ),
  );
}
