import { createHmac, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type Stripe from 'stripe';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox } from '#sandbox/stripe/start.js';
import { ensureCatalogue } from '#subgraphs/billing/stripe/catalogue.js';
import { createStripe } from '#subgraphs/billing/stripe/stripe-client.js';

import { cpuSeconds } from './support/cpu.js';
import { tenantId } from './support/fleet.js';
import { Load } from './support/load.js';
import { fixed, publish } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';
import { startPlainWebhooks } from './support/webhook-peer.js';

const customers = 600;
/** Customers that renew at about the same time, so that their webhooks come mixed: those of one come within a second. */
const together = 100;
const connections = 32;
const roundMs = 3_000;
const secret = `whsec_${'b'.repeat(32)}`;

interface Round {
  rate: number;
  /** By the CPU time of whoever takes them, until all are applied. */
  perCpuSecond: number;
  p99: number;
}

/** Webhooks taken, and the subscriptions they tell of asked for and applied, against Express with one INSERT. */
export async function billingBench(): Promise<void> {
  build();
  const stage = await openStage();
  const sandbox = await startStripeSandbox({ port: 0, clock: systemClock, logger: silentLogger });
  try {
    const stripe = createStripe(sandbox.secretKey, sandbox.url);
    await ensureCatalogue(stripe);
    const panel = await stage.panel({
      STRIPE_SECRET_KEY: sandbox.secretKey,
      STRIPE_WEBHOOK_SECRET: secret,
      STRIPE_API_BASE: sandbox.url,
    });
    const renewals = new Renewals(stripe, await subscribe(stage, stripe));
    const plain = await startPlainWebhooks(stage, secret);
    const request = async (sequence: number) => {
      const body = await renewals.webhook(sequence);
      const at = Math.floor(Date.now() / 1000);
      const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
      return {
        path: '/webhooks/stripe',
        headers: { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}` },
        body,
      };
    };
    const ours = new Load(panel.url, connections, request);
    const theirs = new Load(plain.url, connections, request);
    const measured = (load: Load, pid: number, settle: () => Promise<void>) => async (): Promise<Round> => {
      const before = cpuSeconds(pid);
      const began = performance.now();
      const { answered, failures, p99 } = await load.run(roundMs);
      if (failures > 0) throw new Error(`${failures} webhooks were refused`);
      await settle();
      const seconds = (performance.now() - began) / 1000;
      return { rate: answered / seconds, p99, perCpuSecond: answered / (cpuSeconds(pid) - before) };
    };
    const idle = await idleShare(panel.pid);
    const rounds = await abba(
      { name: 'panel', round: measured(ours, panel.pid, () => applied(stage)) },
      { name: 'plain', round: measured(theirs, plain.pid, async () => undefined) },
      { rounds: 8, discarded: 2 },
    );
    const valuesOf = (key: keyof Round, all: readonly Round[]) => all.map((round) => round[key]);
    const of = (key: keyof Round, all: readonly Round[]) => median(valuesOf(key, all));
    const perCpuSecond = of('perCpuSecond', rounds.a);
    const ratioOf = (key: 'rate' | 'perCpuSecond') =>
      pairedRatio(valuesOf(key, rounds.a), valuesOf(key, rounds.b));
    const ratio = ratioOf('perCpuSecond');
    await ours.stop();
    await theirs.stop();
    await plain.stop();
    await panel.stop();
    publish({
      name: 'billing',
      setup: `webhooks of renewals, ${told.length} of each of ${customers} customers mixed with those of ${together - 1} others, and one change of its subscription behind them, over ${connections} connections, taken and applied, fsync on; load, peer and the stand-in for Stripe share the machine`,
      figures: [
        {
          what: 'webhooks taken and applied per second of CPU of the panel',
          value: fixed(perCpuSecond, 0),
          target: '>= 1000',
          isMet: perCpuSecond >= 1_000,
        },
        { what: 'CPU of the panel before any came, of a core', value: fixed(idle) },
        { what: 'webhooks/s, until all are applied', value: fixed(of('rate', rounds.a), 0) },
        { what: 'latency p99 of the answer (ms)', value: fixed(of('p99', rounds.a), 0) },
        { what: 'webhooks/s of Express with one INSERT', value: fixed(of('rate', rounds.b), 0) },
        { what: 'the same per second of its CPU', value: fixed(of('perCpuSecond', rounds.b), 0) },
        {
          what: 'panel / Express, per second of CPU',
          value: fixed(ratio),
          target: '>= 0.3',
          isMet: ratio >= 0.3,
        },
        { what: 'panel / Express, by the clock', value: fixed(ratioOf('rate')) },
      ],
      details: { rounds },
    });
  } finally {
    await sandbox.stop();
    await stage.stop();
  }
}

/** What a panel uses that has nothing to do: it is a part of all that is measured beside it. */
async function idleShare(pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  await sleep(roundMs);
  return (cpuSeconds(pid) - before) / (roundMs / 1000);
}

interface Subscribed {
  customer: string;
  subscription: string;
}

/** Customers on Pro, each of a tenant of its own. */
async function subscribe(stage: Stage, stripe: Stripe): Promise<Subscribed[]> {
  const { data } = await stripe.prices.list({ lookup_keys: ['quazzar_pro_monthly'] });
  const all: Subscribed[] = [];
  for (let index = 0; index < customers; index += 1) {
    const { id: customer } = await stripe.customers.create({ metadata: { tenant_id: tenantId(index) } });
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    const { id: subscription } = await stripe.subscriptions.create({
      customer,
      items: [{ price: data[0]!.id }],
      default_payment_method: card.id,
    });
    await stage.sql('insert into billing.subscription (tenant_id, customer_id) values ($1, $2)', [
      tenantId(index),
      customer,
    ]);
    all.push({ customer, subscription });
  }
  return all;
}

/** What Stripe tells of one renewal. */
const told = [
  'invoice.created',
  'invoice.finalized',
  'charge.succeeded',
  'invoice.paid',
  'invoice.payment_succeeded',
  'customer.subscription.updated',
];

/** Webhooks as a day of renewals has them: six of each customer, mixed with those of others, and one change behind them. */
class Renewals {
  private readonly batches = new Map<number, { at: number; type: string }[]>();
  private readonly changes = new Map<number, Promise<unknown>>();

  constructor(
    private readonly stripe: Stripe,
    private readonly all: readonly Subscribed[],
  ) {}

  /** The body of one; the change that it tells of is made by then. */
  async webhook(sequence: number): Promise<string> {
    const size = together * told.length;
    const batch = Math.floor(sequence / size);
    const { at, type } = this.batch(batch)[sequence % size]!;
    const renewal = batch * together + at;
    const one = this.all[renewal % this.all.length]!;
    let change = this.changes.get(renewal);
    if (!change) {
      const isEven = Math.floor(renewal / this.all.length) % 2 === 0;
      change = this.stripe.subscriptions.update(one.subscription, { cancel_at_period_end: isEven });
      this.changes.set(renewal, change);
    }
    await change;
    return eventOf(one.customer, type, sequence);
  }

  private batch(number: number): { at: number; type: string }[] {
    let batch = this.batches.get(number);
    if (!batch) {
      batch = told.flatMap((type) => Array.from({ length: together }, (_, at) => ({ at, type })));
      for (let last = batch.length - 1; last > 0; last -= 1) {
        const other = randomInt(last + 1);
        [batch[last], batch[other]] = [batch[other]!, batch[last]!];
      }
      this.batches.set(number, batch);
    }
    return batch;
  }
}

function eventOf(customer: string, type: string, sequence: number): string {
  return JSON.stringify({
    id: `evt_bench${process.pid}_${sequence}_${Date.now()}`,
    object: 'event',
    created: Math.floor(Date.now() / 1000),
    data: { object: { id: `in_${sequence}`, object: 'invoice', customer, status: 'paid' } },
    livemode: false,
    type,
  });
}

async function applied(stage: Stage): Promise<void> {
  for (;;) {
    const [row] = await stage.sql<{ open: number }>('select count(*)::int as open from billing.sync_request');
    if (row!.open === 0) return;
    await sleep(50);
  }
}
