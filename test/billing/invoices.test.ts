import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  customerOf,
  pass,
  proTenant,
  dayMs,
  signedIn,
  startBillingPanel,
  type BillingPanel,
} from './support/billing-panel.js';

let panel: BillingPanel;
beforeAll(async () => {
  panel = await startBillingPanel();
});
afterAll(async () => panel.stop());

interface RestInvoice {
  id: string;
  date: string;
  period_start: string;
  period_end: string;
  amount_due: number;
  currency: string;
  status: string;
  pdf_url: string;
}

const clearFaults = async () => fetch(`${panel.stripe.url}/_sandbox/faults`, { method: 'DELETE' });

test('invoices are those of Stripe, newest first, in the shape of the contract', async () => {
  const before = await proTenant(panel);
  await pass(panel, 32 * dayMs);
  const tenant = await signedIn(panel, before);
  const { status, body, headers } = await tenant.rest<RestInvoice[]>('/api/billing/invoices');
  expect(status).toBe(200);
  expect(body).toHaveLength(2);
  expect(body[1]).toEqual({
    id: expect.stringMatching(/^in_/),
    date: expect.stringMatching(/Z$/),
    period_start: expect.stringMatching(/Z$/),
    period_end: expect.stringMatching(/Z$/),
    amount_due: 4900,
    currency: 'usd',
    status: 'paid',
    pdf_url: expect.stringMatching(/^http/),
  });
  const [newest, first] = body;
  expect(newest!.date > first!.date).toBe(true);
  // The end of one is the second before the beginning of the next.
  expect(new Date(newest!.period_start).getTime() - new Date(first!.period_end).getTime()).toBe(1_000);
  expect([headers.get('age'), headers.get('warning')]).toEqual(['0', null]);
});

test('Stripe is asked once a minute at most, also by many at once', async () => {
  const tenant = await proTenant(panel);
  panel.stripe.addFault({ kind: 'delay', method: 'GET', path: '/v1/invoices', delayMs: 300 });
  // Were it asked again, that would be refused.
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 500, next: 20 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => tenant.rest<RestInvoice[]>('/api/billing/invoices')),
  );
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual(answers.map(() => [200, 1]));
  await panel.clock.advance(59_000);
  const later = await tenant.rest('/api/billing/invoices');
  expect([later.status, later.headers.get('age'), later.headers.get('warning')]).toEqual([200, '59', null]);
  await clearFaults();
});

test('while Stripe is away they are shown as they were, with their age and a warning', async () => {
  const tenant = await proTenant(panel);
  await tenant.rest('/api/billing/invoices');
  panel.stripe.addFault({ kind: 'error', method: 'GET', path: '/v1/invoices', status: 503, next: 50 });
  await panel.clock.advance(90_000);
  const { status, body, headers } = await tenant.rest<RestInvoice[]>('/api/billing/invoices');
  expect([status, body.length, headers.get('age'), headers.get('warning')]).toEqual([
    200,
    1,
    '90',
    '110 - "Response is Stale"',
  ]);
  const another = await panel.world.tenant();
  await customerOf(panel, another);
  const never = await another.rest('/api/billing/invoices');
  expect([never.status, never.headers.has('retry-after')]).toEqual([503, true]);
  await clearFaults();
  const back = await tenant.rest('/api/billing/invoices');
  expect([back.headers.get('age'), back.headers.get('warning')]).toEqual(['0', null]);
});

test('a tenant without a customer has none, and Stripe is not asked; pages hold', async () => {
  const free = await panel.world.tenant();
  expect((await free.rest('/api/billing/invoices')).body).toEqual([]);
  const before = await proTenant(panel);
  await pass(panel, 32 * dayMs);
  const tenant = await signedIn(panel, before);
  const first = await tenant.rest<RestInvoice[]>('/api/billing/invoices?limit=1');
  expect([first.body.length, first.headers.get('x-total-count')]).toEqual([1, '2']);
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await tenant.rest<RestInvoice[]>(next);
  expect(second.body.map(({ id }) => id)).not.toEqual(first.body.map(({ id }) => id));
});
