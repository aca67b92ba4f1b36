import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';
import {
  customerOf,
  dayMs,
  proTenant,
  signedIn,
  startBillingPanel,
  type BillingPanel,
} from './support/billing-panel.js';
import { paidBy, partner } from './support/partner-money.js';
import { advance, advanceText, advanceTo, clockOf, timeOf } from './support/test-clock.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel({ settings: { TEST_CLOCKS: 'true' } });
});
afterAll(async () => panel.stop());

test('a call is refused backwards, too far and in a form that is none, by field, and moves nothing', async () => {
  const tenant = await panel.world.tenant();
  const now = panel.clock.now();
  const at = (ms: number) => new Date(now.getTime() + ms);
  const sentences = await Promise.all(
    [at(0), at(-dayMs), at(733 * dayMs)].map(async (to) => refusal(await advanceTo(tenant, to))),
  );
  const already = `It is ${now.toISOString()} for the tenant already, and its time does not go back`;
  const faulty = (sentence: string) => ({ code: 'VALIDATION_FAILED', details: { 'input.to': sentence } });
  expect(sentences).toEqual([
    faulty(already),
    faulty(already),
    faulty('Time can be advanced by two years at most in one call'),
  ]);
  const odd = await tenant.graphql(advanceText, { input: { to: 'tomorrow' } });
  expect(odd.errors).toHaveLength(1);
  expect(await clockOf(tenant)).toEqual({
    now: now.toISOString(),
    status: 'READY',
    target: null,
    failure: null,
  });
});

test('time ends ten years ahead of the machine', async () => {
  const tenant = await panel.world.tenant();
  for (let years = 0; years < 10; years += 2) await advance(panel, tenant, 2 * 365 * dayMs);
  const to = new Date((await timeOf(tenant)).getTime() + 365 * dayMs);
  expect(refusal(await advanceTo(tenant, to))).toMatchObject({
    details: { 'input.to': "A test clock can be at most ten years ahead of the machine's" },
  });
});

test('a call changes nothing more when it is repeated, at once or one after the other', async () => {
  const tenant = await proTenant(panel);
  const to = new Date(panel.clock.now().getTime() + 40 * dayMs);
  const answers = await Promise.all([1, 2, 3].map(async () => dataOf(await advanceTo(tenant, to))));
  await until(async () => (await clockOf(tenant)).status === 'READY', 'the clock to be there');
  answers.push(dataOf(await advanceTo(tenant, to)));
  expect(answers.map(({ advanceTestClock }) => advanceTestClock.target)).toEqual(
    answers.map(() => to.toISOString()),
  );
  expect(await timeOf(tenant)).toEqual(to);
  expect((await panel.sdk.invoices.list({ customer: tenant.customer })).data).toHaveLength(2);
  const [moved] = await panel.sql<{ by_ms: string }>(
    `select sum((payload->>'byMs')::bigint) as by_ms from billing.outbox
     where tenant_id = $1 and topic = 'billing.test-clock.advanced'`,
    [tenant.id],
  );
  expect(Number(moved!.by_ms)).toBe(40 * dayMs);
});

test('a call to another time is refused while the clock is on its way, and what Stripe could not do is done later', async () => {
  const tenant = await proTenant(panel);
  const to = new Date(panel.clock.now().getTime() + 10 * dayMs);
  panel.stripe.addFault({ kind: 'error', path: '/v1/test_helpers', next: 4, status: 500 });
  expect(dataOf(await advanceTo(tenant, to)).advanceTestClock).toMatchObject({ status: 'ADVANCING' });
  const other = await advanceTo(tenant, new Date(to.getTime() + dayMs));
  expect(refusal(other)).toEqual({ code: 'CONFLICT', reason: 'TEST_CLOCK_ADVANCING' });
  // Repeating it goes on at once; a job would half a minute later.
  await until(async () => {
    const { advanceTestClock } = dataOf(await advanceTo(tenant, to));
    return advanceTestClock.status === 'READY';
  }, 'Stripe to be back');
  expect(await timeOf(tenant)).toEqual(to);
});

test('a call that Stripe refuses for good says so, and can be made again', async () => {
  const tenant = await proTenant(panel);
  const to = new Date(panel.clock.now().getTime() + 10 * dayMs);
  panel.stripe.addFault({ kind: 'error', method: 'POST', path: '/v1/test_helpers', next: 2, status: 400 });
  expect(dataOf(await advanceTo(tenant, to)).advanceTestClock).toMatchObject({
    status: 'INTERNAL_FAILURE',
    failure: 'The payment provider has refused to advance its test clock',
  });
  expect(await timeOf(tenant)).toEqual(panel.clock.now());
  expect(dataOf(await advanceTo(tenant, to)).advanceTestClock).toMatchObject({
    status: 'READY',
    now: to.toISOString(),
    failure: null,
  });
});

test('a call is refused for a tenant that Stripe knew without a test clock', async () => {
  const tenant = await panel.world.tenant();
  const { id } = await panel.sdk.customers.create({ metadata: { tenant_id: tenant.id } });
  await panel.sql(
    `insert into billing.subscription (tenant_id, customer_id) values ($1, $2)
     on conflict (tenant_id) do update set customer_id = excluded.customer_id`,
    [tenant.id, id],
  );
  expect(refusal(await advanceTo(tenant, new Date(panel.clock.now().getTime() + dayMs)))).toEqual({
    code: 'CONFLICT',
    reason: 'CUSTOMER_WITHOUT_TEST_CLOCK',
  });
});

test('the call is for owners and admins, moves their own tenant only, and is on the trail', async () => {
  const [tenant, beside] = [await panel.world.tenant(), await panel.world.tenant()];
  const to = new Date(panel.clock.now().getTime() + dayMs);
  for (const role of ['OPERATOR', 'BILLING', 'VIEWER'] as const)
    expect(refusal(await advanceTo(tenant, to, await tokenInRole(panel, tenant, role)))).toEqual({
      code: 'FORBIDDEN',
      reason: 'PERMISSION_MISSING',
    });
  dataOf(await advanceTo(tenant, to, await tokenInRole(panel, tenant, 'ADMIN')));
  expect(await timeOf(beside)).toEqual(panel.clock.now());
  expect(await clockOf(beside)).toMatchObject({ target: null });
  const owner = await signedIn(panel, tenant);
  await tokenInRole(panel, tenant, 'OWNER');
  await until(async () => {
    const [row] = await panel.sql<{ details: unknown }>(
      `select details from identity.audit_event where tenant_id = $1 and action = 'advanceTestClock'`,
      [owner.id],
    );
    return JSON.stringify(row?.details)?.includes(to.toISOString()) ?? false;
  }, 'the row of the trail');
});

test('a customer is made on a test clock, at the time that it is for its tenant', async () => {
  const tenant = await panel.world.tenant();
  const to = await advance(panel, tenant, 90 * dayMs);
  const customer = await panel.sdk.customers.retrieve(await customerOf(panel, tenant));
  if (customer.deleted || customer.test_clock === null) throw new Error('no customer on a test clock');
  expect(customer.created).toBe(Math.floor(to.getTime() / 1000));
});

test('whoever advances a clock that only catches up with the machine’s takes its way over', async () => {
  const tenant = await proTenant(panel);
  // As the sweep does, whose process then died.
  await panel.sql(
    `update billing.test_clock set status = 'ADVANCING', version = version + 1, way_to = $2 where tenant_id = $1`,
    [tenant.id, panel.clock.now()],
  );
  const to = await advance(panel, tenant, 3 * dayMs);
  expect(await clockOf(tenant)).toMatchObject({ status: 'READY', target: to.toISOString() });
});

test('a partner that was approved just now has its discount on the first renewal of the way', async () => {
  const { tenant, customer } = await partner(panel, 5);
  await advance(panel, tenant, 32 * dayMs);
  expect((await paidBy(panel, customer)).map(({ amount }) => amount)).toEqual([4410, 4900]);
});
