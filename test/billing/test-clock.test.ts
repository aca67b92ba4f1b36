import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { alertsOf, firing, soon, updateRule } from '../fleet/alerts/support/panel.js';
import { sent, statuses, takeOne } from '../fleet/commands/support/commands.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf, refusal } from '../support/answers.js';
import { tokenInRole } from '../support/roles.js';
import { until, type GraphQLAnswer, type Tenant } from '../support/world.js';
import {
  applied,
  change,
  customerOf,
  dayMs,
  giveCard,
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
    settings: { SMTP_URL: mailbox.url, TEST_CLOCKS: 'true' },
  });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

interface ClockView {
  now: string;
  status: string;
  target: string | null;
  failure: string | null;
}

const minuteMs = 60_000;
const clockFields = 'now status target failure';
const advanceText = `mutation($input: AdvanceTestClockInput!) { advanceTestClock(input: $input) { ${clockFields} } }`;

type Advanced = { advanceTestClock: ClockView };

async function advanceTo(tenant: Tenant, to: Date, token = tenant.token): Promise<GraphQLAnswer<Advanced>> {
  return panel.world.graphql<Advanced>(advanceText, { input: { to } }, token);
}

async function clockOf(tenant: Tenant): Promise<ClockView> {
  return dataOf(await tenant.graphql<{ testClock: ClockView }>(`{ testClock { ${clockFields} } }`)).testClock;
}

async function timeOf(tenant: Tenant): Promise<Date> {
  return new Date((await clockOf(tenant)).now);
}

/** Moves the tenant's time on, and waits until every area has taken it in. */
async function advance(tenant: Tenant, ms: number): Promise<Date> {
  const to = new Date((await timeOf(tenant)).getTime() + ms);
  const { advanceTestClock } = dataOf(await advanceTo(tenant, to));
  expect(advanceTestClock).toMatchObject({ status: 'READY', target: to.toISOString(), failure: null });
  await takenIn();
  return to;
}

async function takenIn(): Promise<void> {
  await until(async () => {
    const [row] = await panel.sql<{ open: number }>(
      `select count(*)::int as open from billing.outbox o, platform.consumer_position p
       where p.source = 'billing' and o.topic = 'billing.test-clock.advanced'
         and (o.timeline, o.xid, o.id) > (p.timeline, p.xid, p.id)`,
    );
    return row!.open === 0;
  }, 'every area to take in that time has passed');
}

const subjectsTo = (tenant: Tenant) =>
  mailbox.mails.filter(({ to }) => to === tenant.account.email).map(({ subject }) => subject);

async function invoicesOf(customer: string): Promise<{ status: string | null; amount: number }[]> {
  const { data } = await panel.sdk.invoices.list({ customer, limit: 100 });
  return data.map(({ status, amount_paid: amount }) => ({ status, amount }));
}

describe('a year of billing', () => {
  test('passes in seconds: renewals, a failure, the ladder, payment, and the end', async () => {
    const subscribed = await proTenant(panel);
    const beside = await proTenant(panel);
    const { customer } = subscribed;
    const before = await subscriptionOf(beside);
    const began = performance.now();

    await advance(subscribed, 150 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'ACTIVE',
      isReadOnly: false,
      overduePayment: null,
    });
    expect(await invoicesOf(customer)).toEqual(
      Array.from({ length: 5 }, () => ({ status: 'paid', amount: 4900 })),
    );

    // The card stops working: the next renewal fails, and its grace runs out.
    await giveCard(panel, subscribed, 'pm_card_chargeCustomerFail');
    await advance(subscribed, 5 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'PAST_DUE',
      isReadOnly: false,
      overduePayment: { amountDue: 4900, readOnlyAt: expect.any(String) },
    });
    await advance(subscribed, 16 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({ isReadOnly: true });
    const late = await signedIn(panel, subscribed);
    await until(async () => {
      const [row] = await panel.sql<{ is_read_only: boolean }>(
        'select is_read_only from fleet.entitlement where tenant_id = $1',
        [subscribed.id],
      );
      return row?.is_read_only === true;
    }, 'fleet to know of it');
    const refused = await panel.world.rest('/api/agent/enroll', {
      body: {
        token: await late.enrollmentToken(),
        name: 'late',
        hostname: 'late.example.com',
        version: '0.2.9',
      },
    });
    expect([refused.status, refused.body]).toEqual([
      409,
      { error: 'A payment is overdue: nothing can be added until it is made' },
    ]);

    // A card that works: what is open is paid, and all is as before.
    await giveCard(panel, subscribed);
    for await (const invoice of panel.sdk.invoices.list({ customer, status: 'open' }))
      await panel.sdk.invoices.pay(invoice.id);
    await applied(panel);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'PRO',
      status: 'ACTIVE',
      isReadOnly: false,
      overduePayment: null,
    });
    await advance(subscribed, 165 * dayMs);
    dataOf(await subscribed.graphql('mutation { cancelSubscription { plan } }'));
    await advance(subscribed, 30 * dayMs);
    expect(await subscriptionOf(subscribed)).toMatchObject({
      plan: 'FREE',
      status: 'CANCELED',
      nextInvoiceDate: null,
    });
    const seconds = (performance.now() - began) / 1000;

    expect(await invoicesOf(customer)).toEqual(
      Array.from({ length: 12 }, () => ({ status: 'paid', amount: 4900 })),
    );
    const ladder = [
      'A payment failed',
      'A payment is overdue',
      'A payment is overdue',
      'Your subscription is about to be restricted',
      'Your subscription is restricted',
    ];
    const told = () => subjectsTo(subscribed).filter((subject) => ladder.includes(subject));
    await until(async () => told().length >= ladder.length, 'the mails of the ladder');
    expect(told()).toEqual(ladder);
    // Nobody else has grown older.
    expect(await subscriptionOf(beside)).toEqual(before);
    expect(await timeOf(beside)).toEqual(panel.clock.now());
    expect(seconds).toBeLessThan(20);
  }, 120_000);

  test('may be one call, which stops wherever something is due', async () => {
    const tenant = await proTenant(panel);
    const to = new Date(panel.clock.now().getTime() + 365 * dayMs);
    const began = performance.now();
    expect(dataOf(await advanceTo(tenant, to)).advanceTestClock).toEqual({
      now: to.toISOString(),
      status: 'READY',
      target: to.toISOString(),
      failure: null,
    });
    expect((performance.now() - began) / 1000).toBeLessThan(10);
    expect(await invoicesOf(tenant.customer)).toEqual(
      Array.from({ length: 12 }, () => ({ status: 'paid', amount: 4900 })),
    );
    const { periodEnd } = await subscriptionOf(tenant);
    expect(new Date(periodEnd!).getTime()).toBeGreaterThan(to.getTime());
  }, 60_000);

  test('has a trial told of before it ends, and becomes a subscription that is paid', async () => {
    const tenant = await panel.world.tenant();
    await giveCard(panel, tenant);
    const { createCheckoutSession } = dataOf(
      await tenant.graphql<{ createCheckoutSession: { url: string } }>(
        'mutation($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url } }',
        { input: { plan: 'PRO', withTrial: true } },
      ),
    );
    await fetch(createCheckoutSession.url, {
      method: 'POST',
      body: new URLSearchParams({ do: 'pay', card: 'pm_card_visa' }),
      redirect: 'manual',
    });
    await applied(panel);
    expect(await subscriptionOf(tenant)).toMatchObject({ status: 'TRIALING' });
    await advance(tenant, 60 * dayMs);
    expect(await subscriptionOf(tenant)).toMatchObject({ status: 'ACTIVE', plan: 'PRO' });
    await until(async () => subjectsTo(tenant).includes('Your trial ends soon'), 'the mail');
  });

  test('goes on by itself between calls, as time passes for everybody', async () => {
    const tenant = await proTenant(panel);
    await advance(tenant, 20 * dayMs);
    const { periodEnd } = await subscriptionOf(tenant);
    await panel.clock.leap(12 * dayMs);
    const there = await signedIn(panel, tenant);
    await soon(
      panel,
      async () => (await subscriptionOf(there)).periodEnd! > periodEnd!,
      'the subscription to be renewed',
    );
    expect(await clockOf(there)).toMatchObject({ status: 'READY' });
  });

  test('previews and changes are counted at the time of the tenant', async () => {
    const tenant = await proTenant(panel);
    const to = await advance(tenant, 100 * dayMs);
    const { previewPlanChange } = dataOf(
      await tenant.graphql<{ previewPlanChange: { effectiveAt: string; amountDue: number } }>(
        `query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) { effectiveAt amountDue } }`,
        { input: { plan: 'PRO', billingCycle: 'YEARLY' } },
      ),
    );
    expect(new Date(previewPlanChange.effectiveAt).getTime()).toBeGreaterThanOrEqual(to.getTime());
    dataOf(await change(tenant, { plan: 'PRO', billingCycle: 'YEARLY' }));
    const [invoice] = (await panel.sdk.invoices.list({ customer: tenant.customer, limit: 1 })).data;
    expect(invoice?.amount_paid).toBe(previewPlanChange.amountDue);
  });
});

describe('fleet', () => {
  test('licences are issued anew, by the time of the tenant', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    type Licence = { issuedAt: string; expiresAt: string; status: string; key: string };
    const read = async () =>
      (
        await tenant.graphql<{ instance: { licence: Licence | null } }>(
          'query($id: ID!) { instance(id: $id) { licence { issuedAt expiresAt status key } } }',
          { id: node.id },
        )
      ).data?.instance.licence;
    await until(async () => (await read()) != null, 'the licence');
    const first = (await read())!;
    const to = await advance(tenant, 200 * dayMs);
    const second = (await read())!;
    expect(second).toMatchObject({ issuedAt: to.toISOString(), status: 'ACTIVE' });
    expect(new Date(second.expiresAt).getTime() - to.getTime()).toBe(35 * dayMs);
    const judged = await tenant.graphql<{ validateLicence: { code: string } }>(
      'query($input: ValidateLicenceInput!) { validateLicence(input: $input) { code } }',
      { input: { key: first.key } },
    );
    expect(dataOf(judged).validateLicence.code).toBe('EXPIRED');
  });

  test('a silent node is offline, its alert fires when its time has run out, and a beat ends both', async () => {
    const tenant = await panel.world.tenant();
    const beside = await panel.world.tenant();
    const node = await tenant.node();
    const other = await beside.node();
    await updateRule(tenant, { kind: 'OFFLINE', forSeconds: 600 });
    await node.beat();
    await other.beat();
    await advance(tenant, 5 * minuteMs);
    const statusOf = async (whose: Tenant, id: string) =>
      (
        await whose.graphql<{ instance: { status: string } }>(
          'query($id: ID!) { instance(id: $id) { status } }',
          { id },
        )
      ).data?.instance.status;
    expect([await statusOf(tenant, node.id), await statusOf(beside, other.id)]).toEqual([
      'OFFLINE',
      'HEALTHY',
    ]);
    const pending = async () =>
      (await panel.sql(`select 1 from fleet.alert where tenant_id = $1 and status = 'PENDING'`, [tenant.id]))
        .length;
    await soon(panel, async () => (await pending()) === 1, 'the outage to be noted', 20);
    expect(await alertsOf(tenant)).toEqual([]);
    await advance(tenant, 8 * minuteMs);
    await soon(panel, async () => (await alertsOf(tenant)).length > 0, 'the alert', 20);
    expect(await alertsOf(tenant)).toMatchObject([{ rule: 'offline', status: 'firing' }]);
    expect(await alertsOf(beside)).toEqual([]);
    await node.beat();
    expect(await statusOf(tenant, node.id)).toBe('HEALTHY');
    await soon(panel, async () => (await alertsOf(tenant, '?status=resolved')).length > 0, 'its end', 20);
  });

  test('a silence ends, and an alert that it held back is still there', async () => {
    const tenant = await panel.world.tenant();
    const { alert } = await firing(panel, tenant);
    const { createSilence } = dataOf(
      await tenant.graphql<{ createSilence: { id: string } }>(
        `mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }`,
        {
          input: {
            matchers: [{ field: 'RULE', pattern: 'CPU' }],
            endsAt: new Date(panel.clock.now().getTime() + dayMs),
            comment: 'known',
          },
        },
      ),
    );
    const states = async () =>
      dataOf(
        await tenant.graphql<{ silences: { nodes: { id: string; state: string }[] } }>(
          '{ silences { nodes { id state } } }',
        ),
      ).silences.nodes;
    expect(await states()).toEqual([{ id: createSilence.id, state: 'ACTIVE' }]);
    await advance(tenant, 2 * dayMs);
    expect(await states()).toEqual([{ id: createSilence.id, state: 'EXPIRED' }]);
    expect((await alertsOf(tenant)).map(({ id }) => id)).toContain(alert.id);
  });

  test('a lease runs out and the command is handed out again; one that nobody took ends', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const id = await sent(tenant, [node]);
    const first = await takeOne(node);
    await advance(tenant, 2 * minuteMs);
    await soon(
      panel,
      async () => (await statuses(tenant, id, [node])).nodes[0] === 'delayed',
      'the lease to end',
      20,
    );
    const second = await takeOne(node);
    expect([second.id, second.lease === first.lease]).toEqual([id, false]);
    await advance(tenant, 30 * dayMs);
    await soon(
      panel,
      async () => (await statuses(tenant, id, [node])).nodes[0] === 'delivery_timed_out',
      'the command to end',
      20,
    );
  });

  test('enrollment tokens end', async () => {
    const tenant = await panel.world.tenant();
    const token = await tenant.enrollmentToken({ expires_in_hours: 24 });
    await advance(tenant, 2 * dayMs);
    const answer = await panel.world.rest('/api/agent/enroll', {
      body: { token, name: 'late', hostname: 'late.example.com', version: '0.2.9' },
    });
    expect(answer.status).toBe(401);
  });
});

describe('people', () => {
  test('sessions and keys end with their time, and whoever is signed in may sign in again', async () => {
    const tenant = await panel.world.tenant();
    const beside = await panel.world.tenant();
    const { createApiKey } = dataOf(
      await tenant.graphql<{ createApiKey: { secret: string } }>(
        'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
        {
          input: {
            name: 'short',
            role: 'VIEWER',
            expiresAt: new Date(panel.clock.now().getTime() + 10 * dayMs),
            currentPassword: tenant.account.password,
          },
        },
      ),
    );
    await advance(tenant, 60 * dayMs);
    const refresh = async ({ refreshToken }: Tenant) =>
      (await panel.world.rest('/api/auth/refresh', { body: { refresh_token: refreshToken } })).status;
    expect([await refresh(tenant), await refresh(beside)]).toEqual([401, 200]);
    const byKey = await panel.world.graphql('{ tenant { id } }', {}, createApiKey.secret);
    expect(refusal(byKey)).toMatchObject({ code: 'UNAUTHENTICATED' });
    // The token in hand holds until it ends, and the password for ever.
    expect((await tenant.graphql('{ me { id } }')).errors).toBeUndefined();
    await signedIn(panel, tenant);
  });
});

describe('the call', () => {
  test('is refused backwards, too far and in a form that is none, by field, and moves nothing', async () => {
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

  test('ends ten years ahead of the machine', async () => {
    const tenant = await panel.world.tenant();
    for (let years = 0; years < 10; years += 2) await advance(tenant, 2 * 365 * dayMs);
    const to = new Date((await timeOf(tenant)).getTime() + 365 * dayMs);
    expect(refusal(await advanceTo(tenant, to))).toMatchObject({
      details: { 'input.to': "A test clock can be at most ten years ahead of the machine's" },
    });
  });

  test('changes nothing more when it is repeated, at once or one after the other', async () => {
    const tenant = await proTenant(panel);
    const to = new Date(panel.clock.now().getTime() + 40 * dayMs);
    const answers = await Promise.all([1, 2, 3].map(async () => dataOf(await advanceTo(tenant, to))));
    await until(async () => (await clockOf(tenant)).status === 'READY', 'the clock to be there');
    answers.push(dataOf(await advanceTo(tenant, to)));
    expect(answers.map(({ advanceTestClock }) => advanceTestClock.target)).toEqual(
      answers.map(() => to.toISOString()),
    );
    expect(await timeOf(tenant)).toEqual(to);
    expect(await invoicesOf(tenant.customer)).toHaveLength(2);
    const [moved] = await panel.sql<{ by_ms: string }>(
      `select sum((payload->>'byMs')::bigint) as by_ms from billing.outbox
       where tenant_id = $1 and topic = 'billing.test-clock.advanced'`,
      [tenant.id],
    );
    expect(Number(moved!.by_ms)).toBe(40 * dayMs);
  });

  test('to another time is refused while the clock is on its way, and what Stripe could not do is done later', async () => {
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

  test('that Stripe refuses for good says so, and can be made again', async () => {
    const tenant = await proTenant(panel);
    const to = new Date(panel.clock.now().getTime() + 10 * dayMs);
    panel.stripe.addFault({ kind: 'error', path: '/v1/subscriptions', next: 1, status: 400 });
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

  test('is refused for a tenant that Stripe knew without a test clock', async () => {
    const tenant = await panel.world.tenant();
    const { id } = await panel.sdk.customers.create({ metadata: { tenant_id: tenant.id } });
    await panel.sql('update billing.subscription set customer_id = $2 where tenant_id = $1', [tenant.id, id]);
    expect(refusal(await advanceTo(tenant, new Date(panel.clock.now().getTime() + dayMs)))).toEqual({
      code: 'CONFLICT',
      reason: 'CUSTOMER_WITHOUT_TEST_CLOCK',
    });
  });

  test('is for owners and admins, moves their own tenant only, and is on the trail', async () => {
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
      const [row] = await panel.sql<{ changes: unknown }>(
        `select changes from identity.audit_event where tenant_id = $1 and action = 'advanceTestClock'`,
        [owner.id],
      );
      return JSON.stringify(row?.changes)?.includes(to.toISOString()) ?? false;
    }, 'the row of the trail');
  });

  test('a customer is made on a test clock, at the time that it is for its tenant', async () => {
    const tenant = await panel.world.tenant();
    const to = await advance(tenant, 90 * dayMs);
    const customer = await panel.sdk.customers.retrieve(await customerOf(panel, tenant));
    if (customer.deleted || customer.test_clock === null) throw new Error('no customer on a test clock');
    expect(customer.created).toBe(Math.floor(to.getTime() / 1000));
  });
});
