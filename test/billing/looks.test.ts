import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Looks } from '#subgraphs/billing/subscription/looks.job.js';
import { BillingSubscription } from '#subgraphs/billing/subscription/subscription.entity.js';
import { lookQueue } from '#subgraphs/billing/subscription/sync.job.js';
import { TenantTime } from '#subgraphs/billing/test-clock/tenant-time.service.js';

import { databaseOf } from '../security/subgraphs.js';
import { until, type Tenant } from '../support/world.js';
import {
  applied,
  hurried,
  proTenant,
  startBillingPanel,
  subscriptionOf,
  type BillingPanel,
} from './support/billing-panel.js';

let panel: BillingPanel;
/** For looks of another process than the panel's. */
let database: Database;
let looks: Looks;
beforeAll(async () => {
  panel = await startBillingPanel();
  database = await databaseOf(panel, 'billing', [BillingSubscription]);
  looks = new Looks(database, () => panel.sdk, new TenantTime(false), panel.clock, false);
});
afterAll(async () => {
  await database.close();
  await panel.stop();
});

const slowLooks = (delayMs: number) =>
  panel.stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/subscriptions', delayMs });

const asked = async () =>
  until(async () => {
    const answer = await fetch(`${panel.stripe.url}/_sandbox/faults`);
    return ((await answer.json()) as { faults: unknown[] }).faults.length === 0;
  }, 'Stripe to be asked');

/** Asks for a look that nobody is on. */
const wanted = async ({ id }: Tenant, looker = 'JOB') =>
  panel.sql('insert into billing.sync_request (tenant_id, wanted_at, looker) values ($1, $2, $3)', [
    id,
    panel.clock.now(),
    looker,
  ]);

test('one customer for whom Stripe is slow holds up nobody else, and is looked at by a job', async () => {
  const tenants = [await proTenant(panel), await proTenant(panel), await proTenant(panel)];
  await applied(panel);
  const subscriptions = await Promise.all(
    tenants.map(async ({ customer }) => (await panel.sdk.subscriptions.list({ customer })).data[0]!.id),
  );
  slowLooks(20_000);
  await Promise.all(
    subscriptions.map(async (id) => panel.sdk.subscriptions.update(id, { cancel_at_period_end: true })),
  );
  const ending = async () => {
    const all = await Promise.all(tenants.map(subscriptionOf));
    return all.filter(({ cancelAt }) => cancelAt !== null).length;
  };
  await until(async () => (await ending()) >= 2, 'the others to be applied', 12_000);
  await hurried(panel, async () => (await ending()) === 3, 'the slow one to be applied');
  const [slow] = await panel.sql(
    `select 1 from jobs.job where name = 'billing.subscription.sync' and data ->> 'tenantId' = any($1)`,
    [tenants.map(({ id }) => id)],
  );
  expect(slow).toBeDefined();
}, 120_000);

test('of two looks at one customer the slower one ends no request that came after it had asked', async () => {
  const tenant = await proTenant(panel);
  await applied(panel);
  const look = async () => (await looks.look([tenant.id], 'test')).get(tenant.id);
  await wanted(tenant);
  slowLooks(2_000);
  const slow = look();
  await asked();
  expect(await look()).toBe('DONE');
  await wanted(tenant);
  expect(await slow).toBe('AGAIN');
  expect(
    await panel.sql('select looker from billing.sync_request where tenant_id = $1', [tenant.id]),
  ).toEqual([{ looker: 'PROCESS' }]);
  expect(await look()).toBe('DONE');
  await applied(panel);
}, 60_000);

test('what a process hands over when it stops has one job: none where there is one, or nothing is wanted any more', async () => {
  const [own, jobs, nobody] = [await proTenant(panel), await proTenant(panel), await proTenant(panel)];
  await applied(panel);
  const ids = [own.id, jobs.id, nobody.id];
  const enqueued = async () => {
    const rows = await panel.sql<{ tenant: string }>(
      `select data ->> 'tenantId' as tenant from jobs.job where name = 'billing.subscription.sync'`,
    );
    return ids.map((id) => rows.filter(({ tenant }) => tenant === id).length);
  };
  const before = await enqueued();
  await wanted(own, 'PROCESS');
  await wanted(jobs, 'JOB');
  const queue = lookQueue(looks, database, silentLogger);
  queue.add(ids);
  await queue.stop();
  expect((await enqueued()).map((count, at) => count - before[at]!)).toEqual([1, 0, 0]);
  await looks.look([jobs.id], 'test');
  await applied(panel);
}, 60_000);
