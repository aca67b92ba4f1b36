import { createHash } from 'node:crypto';

import type Stripe from 'stripe';

import type { Admission } from '#platform/admission/admission.js';
import { invalid } from '#platform/errors.js';
import {
  fingerprintOf,
  IdempotencyKeys,
  type RepeatableCall,
} from '#platform/idempotency/idempotency-keys.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { BillingCycle, packages } from '../package/packages.js';
import { isPartnerCoupon } from '../partner/partner-tiers.js';
import { alreadySubscribed, closeOlderPages } from '../stripe/checkout-pages.js';
import { once } from '../stripe/once.js';
import type { Prices } from '../stripe/prices.js';
import { liveSubscriptions } from '../stripe/snapshot.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking, failureOf } from '../stripe/stripe-errors.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import { wantSync } from '../subscription/sync-request.service.js';
import {
  createCheckoutSessionRules,
  type CreateCheckoutSessionInput,
  type HostedPage,
} from './change.inputs.js';
import { isLive, requireOpen, requireOwnPlan } from './change.rules.js';
import type { CustomerService } from './customer.service.js';
import { requireNoneUnderWay } from './intents.service.js';
import type { MeansFinder } from './means.service.js';
import { changeTo } from './plan-admission.js';

/** Pages of Stripe on which a tenant pays: card numbers never come here. */
export class HostedPages {
  readonly idempotency = new IdempotencyKeys('billing', ['createCheckoutSession']);

  constructor(
    private readonly tools: {
      stripe: StripeSource;
      prices: Prices;
      customers: CustomerService;
      means: MeansFinder;
      admission: Admission;
      publicUrl: string;
    },
  ) {}

  async checkout(operation: Operation, input: CreateCheckoutSessionInput): Promise<HostedPage> {
    const { plan, billingCycle, withTrial, coupon } = validate(createCheckoutSessionRules, input);
    const call = { mutation: 'createCheckoutSession', input, key: input.idempotencyKey } as const;
    const earlier = await this.idempotency.find<StoredPage>(operation, call);
    if (earlier) return revive(earlier);
    const row = await readSubscription(operation.em, operation.tenantId);
    requireOwnPlan(row);
    requireOpen(row);
    if (isLive(row)) throw alreadySubscribed();
    // It would be bought there, and by the change once more.
    await requireNoneUnderWay(operation.em, operation.tenantId);
    if (withTrial && row.hadTrial) throw invalid('input.withTrial', 'The trial was used before');
    const trialDays = withTrial ? packages[plan].trialDays : 0;
    await this.tools.admission.require(operation, changeTo(plan));
    const customer = await this.tools.customers.of(operation);
    if (row.customerId !== null) await this.requireNoneLives(operation, customer);
    if (coupon) await this.requireCoupon(coupon);
    const discounts = coupon ? [{ coupon }] : await asking(() => this.tools.means.discountsOf(operation.em));
    const key = this.keyOf(operation, call, discounts);
    const session = await asking(async () => {
      const { sessions } = this.tools.stripe().checkout;
      const params: Stripe.Checkout.SessionCreateParams = {
        mode: 'subscription',
        customer,
        line_items: [
          { price: await this.tools.prices.idOf(plan, billingCycle ?? BillingCycle.MONTHLY), quantity: 1 },
        ],
        success_url: `${this.tools.publicUrl}/billing?checkout=done`,
        cancel_url: `${this.tools.publicUrl}/billing?checkout=cancelled`,
        client_reference_id: operation.tenantId,
        // Stripe takes one there. A partner's discount that has to wait comes on the subscription, once it is there.
        ...(discounts.length > 0 ? { discounts } : {}),
        ...(trialDays > 0 ? { subscription_data: { trial_period_days: trialDays } } : {}),
      };
      if (key === undefined) return sessions.create(params);
      for (let own = key; ;) {
        const made = await once(own, async (options) => sessions.create(params, options));
        // A call that was refused has closed its page, which Stripe would answer to its key for a day.
        if ((await sessions.retrieve(made.id)).status === 'open') return made;
        own = `${key}-after-${made.id}`;
      }
    });
    const { url } = session;
    if (url === null) throw new Error(`the checkout session ${session.id} has no address`);
    // Before anybody has its address: of all that were handed out, one can be paid on.
    await asking(() => closeOlderPages(this.tools.stripe(), customer, session.id));
    await this.requireStillSold(operation).catch(async (refusal: unknown) => {
      await asking(async () => this.tools.stripe().checkout.sessions.expire(session.id));
      throw refusal;
    });
    return this.idempotency.write(operation, call, revive, async ({ audit }) => {
      audit({ target: operation.tenantId, changes: { plan, checkout: session.id } });
      const expiresAt = new Date(session.expires_at * 1000);
      return {
        answer: { url, expiresAt },
        response: { url, expiresAt: expiresAt.toISOString() } satisfies StoredPage,
      };
    });
  }

  /** Where payment methods are changed and invoices paid. */
  async portal(operation: Operation): Promise<HostedPage> {
    const customer = await this.tools.customers.of(operation);
    const { url } = await asking(() =>
      this.tools
        .stripe()
        .billingPortal.sessions.create({ customer, return_url: `${this.tools.publicUrl}/billing` }),
    );
    return { url, expiresAt: null };
  }

  /** What was bought on an earlier page may be known at Stripe only, while its webhook is late or lost: nobody pays twice. */
  private async requireNoneLives(operation: Operation, customer: string): Promise<void> {
    const living = await asking(async () => liveSubscriptions(this.tools.stripe(), customer));
    if (living.length === 0) return;
    const { tenantId, clock } = operation;
    await operation.write(async (write) => {
      write.audit({ target: tenantId, changes: { refused: 'ALREADY_SUBSCRIBED' } });
      await wantSync(write, tenantId, clock.now());
    });
    throw alreadySubscribed();
  }

  /** While the page was made a change may have begun, or ended, that has closed the pages of before only; so may the tenant. */
  private async requireStillSold({ database, tenantId }: Operation): Promise<void> {
    const em = database.forTenant(tenantId);
    await requireNoneUnderWay(em, tenantId);
    const row = await readSubscription(em, tenantId);
    requireOpen(row);
    if (isLive(row)) throw alreadySubscribed();
  }

  private async requireCoupon(coupon: string): Promise<void> {
    // A partner's is given by its tier, and to nobody who names it.
    if (isPartnerCoupon(coupon)) throw noCoupon();
    try {
      const { valid } = await this.tools.stripe().coupons.retrieve(coupon);
      if (valid) return;
    } catch (cause) {
      const failure = failureOf(cause);
      if (!failure?.isFinal) throw failure?.error ?? cause;
    }
    throw noCoupon();
  }

  /**
   * Stripe's key is made of the client's, so that keys of one tenant are no other's, and of all that may be another in
   * a call that comes after one whose answer was lost.
   */
  private keyOf(
    operation: Operation,
    call: RepeatableCall<'createCheckoutSession'>,
    discounts: readonly { coupon: string }[],
  ): string | undefined {
    const key = this.idempotency.keyOf(operation, call);
    if (key === undefined) return undefined;
    const stamp = createHash('sha256')
      .update(JSON.stringify([key, fingerprintOf(call), discounts]))
      .digest('base64url');
    return `checkout-${operation.tenantId}-${stamp}`;
  }
}

interface StoredPage {
  url: string;
  expiresAt: string;
}

const revive = ({ url, expiresAt }: StoredPage): HostedPage => ({ url, expiresAt: new Date(expiresAt) });

const noCoupon = (): Error => invalid('input.coupon', 'There is no such coupon, or it has ended');
