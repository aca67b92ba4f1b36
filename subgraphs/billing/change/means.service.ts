import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';

import { partnerTerms } from '../partner/partner-terms.service.js';
import type { Coupons } from '../stripe/coupons.js';
import type { GivenDiscount } from '../stripe/partner-discount.js';
import type { Prices } from '../stripe/prices.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking } from '../stripe/stripe-errors.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { isPaused, type Step, type Target } from './change.rules.js';

/** What has to be known of Stripe before a change is written down. */
export interface Means {
  priceId: string | null;
  paymentMethodId: string | null;
  discounts: readonly GivenDiscount[];
}

export const noMeans: Means = { priceId: null, paymentMethodId: null, discounts: [] };

/** Finds prices, the payment method, and the discounts that a change has to name. */
export class MeansFinder {
  constructor(
    private readonly stripe: StripeSource,
    private readonly prices: Prices,
    private readonly coupons: Coupons,
  ) {}

  async find(
    em: SqlEntityManager,
    row: BillingSubscription,
    step: Step,
    { plan, cycle }: Target,
  ): Promise<Means> {
    if (step === 'RESUME') return this.toGoOn(row);
    if (step !== 'SUBSCRIBE' && step !== 'UPGRADE' && step !== 'DOWNGRADE') return noMeans;
    return asking(async () => {
      const means = { ...noMeans, priceId: await this.prices.idOf(plan, cycle) };
      switch (step) {
        case 'UPGRADE':
          return means;
        case 'SUBSCRIBE':
          return {
            ...means,
            paymentMethodId: await this.paymentMethodOf(row.customerId),
            discounts: await this.discountsOf(em),
          };
        case 'DOWNGRADE':
          return { ...means, discounts: await this.currentDiscounts(row) };
      }
    });
  }

  /** One that Stripe has paused is paid for at once; of all others nothing need be known to go on. */
  async toGoOn(row: BillingSubscription): Promise<Means> {
    if (!isPaused(row)) return noMeans;
    return {
      ...noMeans,
      paymentMethodId: await asking(() => this.paymentMethodOf(row.customerId, 'createPortalSession')),
    };
  }

  /** What a new subscription of the tenant is given: the discount of its partner's tier. */
  async discountsOf(em: SqlEntityManager): Promise<{ coupon: string }[]> {
    const terms = await partnerTerms(em);
    return terms?.tier ? [{ coupon: await this.coupons.ensure(terms.tier) }] : [];
  }

  private async currentDiscounts({ stripeId }: BillingSubscription): Promise<{ discount: string }[]> {
    const { discounts } = await this.stripe().subscriptions.retrieve(stripeId!);
    return discounts.map((each) => ({ discount: typeof each === 'string' ? each : each.id }));
  }

  private async paymentMethodOf(
    customerId: string | null,
    takenBy = 'createCheckoutSession',
  ): Promise<string> {
    if (customerId !== null) {
      const customer = await this.stripe().customers.retrieve(customerId);
      const chosen = customer.deleted ? null : customer.invoice_settings.default_payment_method;
      if (chosen) return typeof chosen === 'string' ? chosen : chosen.id;
      const { data } = await this.stripe().paymentMethods.list({ customer: customerId, limit: 1 });
      if (data[0]) return data[0].id;
    }
    throw new ApiError('CONFLICT', `There is no payment method yet: ${takenBy} takes one`, {
      reason: 'PAYMENT_METHOD_REQUIRED',
    });
  }
}
