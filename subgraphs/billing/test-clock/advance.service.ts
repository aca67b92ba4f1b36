import { randomUUID } from 'node:crypto';

import type { Database, SqlEntityManager } from '#platform/database/database.js';
import type { JobWrite } from '#platform/jobs/job.js';
import type { TestClockAdvanced } from '#schema/events.js';

import { takeDueSteps, tellTrialEnd } from '../dunning/dunning.steps.js';
import type { DiscountSetter } from '../partner/discount-setter.service.js';
import { couponFor, partnerTerms } from '../partner/partner-terms.service.js';
import { fetchSnapshot, type Snapshot } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { applySnapshot } from '../subscription/apply.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import {
  lockSubscription,
  readSubscription,
  takeTicket,
} from '../subscription/subscription.store.service.js';
import { syncKind } from '../subscription/sync-request.service.js';
import type { StripeClocks } from './stripe-clock.service.js';
import { TestClockStatus, timeOf, type TestClock } from './test-clock.entity.js';
import { nextStop } from './test-clock.rules.js';
import { lockTestClock, readTestClock } from './test-clock.store.service.js';

/** Whose clock goes its way, and on whose behalf it is written. */
export interface Traveller {
  database: Database;
  tenantId: string;
  now: () => Date;
  write: <T>(work: (write: JobWrite) => Promise<T>) => Promise<T>;
  /** Aborted when there is no more time for it: what is left is done by a job. */
  signal: AbortSignal;
}

/** How Stripe said it is at the end of a step. */
interface Looked {
  ticket: number;
  snapshot: Snapshot | undefined;
}

/**
 * Brings test clocks to where they were told to go, from one moment at which something is due to the next. Each step is one
 * transaction, and is done once however many go the same way at once.
 */
export class Advancing {
  constructor(
    private readonly stripe: StripeSource,
    private readonly stripeClocks: StripeClocks,
    private readonly discounts: DiscountSetter,
  ) {}

  /** Until it is there, or there is no more time. Throws what Stripe has answered. */
  async goOn(traveller: Traveller): Promise<TestClock> {
    const { database, tenantId, now, write, signal } = traveller;
    await this.settleDiscount(traveller);
    for (;;) {
      const em = database.forTenant(tenantId);
      const clock = await readTestClock(em, tenantId);
      if (clock.status !== TestClockStatus.ADVANCING || !clock.wayTo || signal.aborted) return clock;
      const subscription = await readSubscription(em, tenantId);
      const to = nextStop(clock, clock.wayTo, subscription, now());
      const isThere = await this.stripeClocks.moveTo(clock, to, signal);
      if (!isThere) return clock;
      const looked = await this.look(em, subscription);
      await write((step) => arrive(step, clock, { to, looked, now: now() }));
    }
  }

  /**
   * What follows from a partner's tier within a minute of the machine's time comes before the next renewal of the
   * tenant's. Where it can not be done now its job does it.
   */
  private async settleDiscount({ database, tenantId, write }: Traveller): Promise<void> {
    const em = database.forTenant(tenantId);
    const { partnerCoupon } = await readSubscription(em, tenantId);
    if (partnerCoupon === couponFor(await partnerTerms(em))) return;
    const key = `advance-${tenantId}-${randomUUID()}`;
    await this.discounts.set({ em, write }, tenantId, key).catch(() => undefined);
  }

  private async look(
    em: SqlEntityManager,
    { tenantId, customerId }: BillingSubscription,
  ): Promise<Looked | undefined> {
    if (customerId === null) return undefined;
    const ticket = await takeTicket(em, tenantId);
    return { ticket, snapshot: await fetchSnapshot(this.stripe(), customerId) };
  }
}

async function arrive(
  step: JobWrite,
  { tenantId, version, stripeClockId }: TestClock,
  { to, looked, now }: { to: Date; looked: Looked | undefined; now: Date },
): Promise<void> {
  const { em, publish } = step;
  const clock = await lockTestClock(em, tenantId);
  // Somebody else has gone this step.
  if (clock.version !== version || clock.status !== TestClockStatus.ADVANCING) return;
  const isLast = to.getTime() === clock.wayTo?.getTime();
  clock.version += 1;
  clock.aheadMs = Math.max(clock.aheadMs, to.getTime() - now.getTime());
  // One that was made there meanwhile has not been moved.
  if (stripeClockId !== null) clock.stripeTime = new Date(Math.floor(to.getTime() / 1000) * 1000);
  const at = timeOf(clock, now);
  const row = await lockSubscription(em, tenantId);
  if (looked) applySnapshot(row, looked.snapshot, { ticket: looked.ticket, now, at, publish });
  tellTrialEnd(row, at, publish);
  takeDueSteps(row, at, publish);
  if (isLast) {
    clock.status = TestClockStatus.READY;
    await tell(step, clock, now);
  }
  await em.flush();
  // Invoices that came meanwhile are seen at once.
  await em.execute('delete from billing.invoice_cache where tenant_id = ?', [tenantId]);
}

/** Ends a way before it is gone; what time has passed has passed. */
export async function stopOnTheWay(
  step: JobWrite,
  tenantId: string,
  { failure, now }: { failure: string; now: Date },
): Promise<void> {
  const clock = await lockTestClock(step.em, tenantId);
  if (clock.status !== TestClockStatus.ADVANCING) return;
  Object.assign(clock, {
    version: clock.version + 1,
    status: TestClockStatus.INTERNAL_FAILURE,
    failure,
  });
  await tell(step, clock, now);
  await step.em.flush();
}

/** Tells every area how much time has passed on the way, and lets what Stripe told meanwhile be looked at once more. */
async function tell({ em, publish, enqueue }: JobWrite, clock: TestClock, now: Date): Promise<void> {
  const { tenantId, toldMs, aheadMs } = clock;
  const [waiting] = await em.execute<unknown[]>('select 1 from billing.sync_request where tenant_id = ?', [
    tenantId,
  ]);
  if (waiting) enqueue(syncKind, { tenantId });
  if (aheadMs === toldMs) return;
  clock.toldMs = aheadMs;
  publish({
    topic: 'billing.test-clock.advanced',
    tenantId,
    entityId: tenantId,
    entityVersion: clock.version,
    payload: {
      from: timeOf({ aheadMs: toldMs }, now).toISOString(),
      to: timeOf(clock, now).toISOString(),
      byMs: aheadMs - toldMs,
    } satisfies TestClockAdvanced,
  });
}
