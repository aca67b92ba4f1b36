import { expect } from 'vitest';

import { client } from '../../identity/msp/support.js';
import type { Mailbox } from '../../identity/support/mailbox.js';
import { dataOf } from '../../support/answers.js';
import { idOf } from '../../support/stripe-sandbox.js';
import type { Tenant } from '../../support/world.js';
import {
  applied,
  customerOf,
  giveCard,
  hurried,
  proTenant,
  signedIn,
  type BillingPanel,
} from './billing-panel.js';
import { approved, enrollMany, untilTier } from './partners.js';

/** The coupons of the customer's subscription that lives, as Stripe has them. */
export async function couponsOf(panel: BillingPanel, customer: string): Promise<string[]> {
  const { data } = await panel.sdk.subscriptions.list({ customer, expand: ['data.discounts'] });
  return data.flatMap(({ discounts }) =>
    discounts.map((each) => (typeof each === 'string' ? each : idOf(each.source.coupon))),
  );
}

/** Lets the panel look at subscriptions, and waits until these are the customer's coupons. */
export async function untilCoupons(panel: BillingPanel, customer: string, wanted: string[]): Promise<void> {
  const isSo = async () => JSON.stringify(await couponsOf(panel, customer)) === JSON.stringify(wanted);
  await looked(panel, isSo, `the coupons ${wanted.join()}`);
  await applied(panel);
}

/** Lets the panel look at subscriptions, each half minute, until it is so. */
export async function looked(panel: BillingPanel, isSo: () => Promise<boolean>, what: string): Promise<void> {
  const soon = async () =>
    hurried(panel, isSo, what, 1_000).then(
      () => true,
      () => false,
    );
  for (let turns = 0; !(await isSo()); turns += 1) {
    expect(turns, `times that the panel looked for ${what}`).toBeLessThan(40);
    await panel.clock.leap(31_000);
    if (await soon()) return;
  }
}

/** On Pro, with so many nodes, and approved as a partner. */
export async function partner(
  panel: BillingPanel,
  nodes: number,
): Promise<{ tenant: Tenant; customer: string; id: string }> {
  const tenant = await proTenant(panel);
  // What was paid before earns nothing: by Stripe's time, which has whole seconds.
  await panel.clock.advance(2_000);
  await enrollMany(tenant, nodes);
  const id = await approved(panel, tenant);
  await untilTier(tenant, id, nodes >= 25 ? 'tier_gold' : 'tier_silver');
  return { tenant, customer: tenant.customer, id };
}

/** A client whose subscription an operator made at Stripe. */
export async function clientWithContract(
  { panel, mailbox }: { panel: BillingPanel; mailbox: Mailbox },
  parent: Tenant,
): Promise<{ child: Tenant; customer: string }> {
  const child = await client(panel, mailbox, parent, { instance_limit: 5 });
  const customer = await customerOf(panel, child);
  await giveCard(panel, child);
  const { data } = await panel.sdk.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  await panel.sdk.subscriptions.create({ customer, items: [{ price: data[0]!.id }] });
  await applied(panel);
  return { child, customer };
}

interface Ledger {
  nodes: {
    kind: string;
    invoiceId: string;
    customerId: string;
    amountPaid: number;
    amount: number;
    tier: string | null;
  }[];
  totalCount: number;
  totals: { currency: string; amountPaid: number; amount: number }[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
}

export async function ledgerOf(
  panel: BillingPanel,
  tenant: Tenant,
  id: string,
  page: Record<string, unknown> = {},
): Promise<Ledger> {
  const answer = await (
    await signedIn(panel, tenant)
  ).graphql<{ commissions: Ledger }>(
    `query($id: ID!, $first: Int, $after: String) { commissions(partnerId: $id, first: $first, after: $after) {
       nodes { kind invoiceId customerId amountPaid amount tier } totalCount totals { currency amountPaid amount }
       pageInfo { endCursor hasNextPage } } }`,
    { id, first: 500, ...page },
  );
  return dataOf(answer).commissions;
}

export async function paidBy(
  panel: BillingPanel,
  ...customers: string[]
): Promise<{ id: string; amount: number; at: number }[]> {
  const paid = [];
  for (const customer of customers)
    for await (const { id, amount_paid: amount, status_transitions: when } of panel.sdk.invoices.list({
      customer,
      status: 'paid',
    }))
      paid.push({ id, amount, at: when.paid_at ?? 0 });
  return paid;
}

export const total = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);
