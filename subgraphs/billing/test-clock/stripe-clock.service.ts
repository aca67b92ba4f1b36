import { setTimeout as sleep } from 'node:timers/promises';

import Stripe from 'stripe';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { once } from '../stripe/once.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking } from '../stripe/stripe-errors.js';
import type { TenantTime } from './tenant-time.service.js';
import { timeOf, type TestClock } from './test-clock.entity.js';
import { lockTestClock } from './test-clock.store.service.js';

// Stripe takes some seconds for a way, the stand-in none.
const pausesMs = [0, 20, 50, 100, 250, 500, 1_000] as const;

const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1000);

/** Tenants' test clocks as Stripe has them: one for each customer, made before the customer. */
export class StripeClocks {
  constructor(
    private readonly stripe: StripeSource,
    private readonly times: TenantTime,
  ) {}

  /** The one that the tenant's customer is to be made on; undefined in a panel without test clocks. */
  async forCustomer({ database, tenantId, clock }: Operation): Promise<string | undefined> {
    if (!this.times.hasTestClocks) return undefined;
    const em = (): SqlEntityManager => database.forTenant(tenantId);
    const wanted = await em().transactional(async (write) => {
      const row = await lockTestClock(write, tenantId);
      row.stripeTime ??= new Date(secondsOf(timeOf(row, clock.now())) * 1000);
      return row;
    });
    if (wanted.stripeClockId !== null) return wanted.stripeClockId;
    const made = await asking(() =>
      once(`test-clock-${tenantId}`, async (options) =>
        this.stripe().testHelpers.testClocks.create(
          { frozen_time: secondsOf(wanted.stripeTime!), name: tenantId },
          options,
        ),
      ),
    );
    return em().transactional(async (write) => {
      const row = await lockTestClock(write, tenantId);
      row.stripeClockId ??= made.id;
      return row.stripeClockId;
    });
  }

  /**
   * Advances the clock at Stripe and waits until all that was due there has happened; false when `signal` was aborted
   * before that. Safe to repeat. Throws what Stripe has said where the clock failed.
   */
  async moveTo({ stripeClockId, stripeTime }: TestClock, to: Date, signal: AbortSignal): Promise<boolean> {
    if (stripeClockId === null || (stripeTime && secondsOf(stripeTime) >= secondsOf(to))) return true;
    const clocks = this.stripe().testHelpers.testClocks;
    const goal = secondsOf(to);
    await clocks.advance(stripeClockId, { frozen_time: goal }).catch((error: unknown) => {
      // Somebody was here before, or is: how the clock stands tells.
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    });
    for (let look = 0; !signal.aborted; look += 1) {
      await sleep(pausesMs[Math.min(look, pausesMs.length - 1)]);
      const { status, frozen_time: at } = await clocks.retrieve(stripeClockId);
      if (status === 'internal_failure') throw new ClockFailure('Stripe could not advance its test clock');
      if (status !== 'ready') continue;
      if (at >= goal) return true;
      // What was refused was no race.
      await clocks.advance(stripeClockId, { frozen_time: goal });
    }
    return false;
  }
}

/** A clock that will not go on by being asked again. Its message is shown. */
export class ClockFailure extends Error {
  override readonly name = 'ClockFailure';
}
