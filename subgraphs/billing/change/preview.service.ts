import type Stripe from 'stripe';

import type { Admission } from '#platform/admission/admission.js';
import { Plan } from '#platform/entitlement/plans.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { packages } from '../package/packages.js';
import { partnerTerms } from '../partner/partner-terms.service.js';
import type { PartnerTierData } from '../partner/partner-tiers.js';
import type { Prices } from '../stripe/prices.js';
import { isForeignSchedule } from '../stripe/schedules.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking } from '../stripe/stripe-errors.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { ChangeEffect, type PlanChangePreview, type PreviewPlanChangeInput } from './change.inputs.js';
import {
  byContract,
  cycleOf,
  isOtherPlan,
  isPaused,
  stepTo,
  type Step,
  type Target,
} from './change.rules.js';
import { overLimits } from './over-limits.service.js';
import { changeTo } from './plan-admission.js';

/** What a change of plan would cost, as Stripe counts it. */
export class PreviewService {
  constructor(
    private readonly tools: {
      stripe: StripeSource;
      prices: Prices;
      times: TenantTime;
      admission: Admission;
    },
  ) {}

  async preview(operation: Operation, input: PreviewPlanChangeInput): Promise<PlanChangePreview> {
    const { em, tenantId } = operation;
    const row = await readSubscription(em, tenantId);
    const target = { plan: input.plan, cycle: input.billingCycle ?? cycleOf(row) };
    const step = stepTo(row, target);
    if (isOtherPlan(row, step, target)) await this.tools.admission.require(operation, changeTo(target.plan));
    await this.requireNoContract(row, step, target);
    const isSmaller = step === 'CANCEL' || step === 'DOWNGRADE';
    const base = {
      plan: target.plan,
      billingCycle: target.cycle,
      currency: row.currency ?? packages[target.plan].currency,
      effect: effectOf(step, row),
      problems: isSmaller ? await overLimits(em, tenantId, target.plan) : [],
    };
    const none = { amountDue: 0, lines: [] };
    const now = await this.tools.times.of(operation);
    if (step === 'UPGRADE') return { ...base, effectiveAt: now, ...(await this.proration(row, target, now)) };
    if (step === 'RESUME' && isPaused(row))
      return { ...base, effectiveAt: now, ...(await this.resumption(row)) };
    if (step === 'SUBSCRIBE')
      return { ...base, effectiveAt: now, ...firstPayment(target, (await partnerTerms(em))?.tier) };
    if (base.effect === ChangeEffect.AT_PERIOD_END) return { ...base, effectiveAt: row.periodEnd, ...none };
    return { ...base, effectiveAt: base.effect === ChangeEffect.NONE ? null : now, ...none };
  }

  /** What an operator has scheduled stands against any change but the end of the subscription. */
  private async requireNoContract(
    { scheduleId }: BillingSubscription,
    step: Step,
    { plan }: Target,
  ): Promise<void> {
    if (scheduleId === null || step === 'NOTHING' || step === 'SUBSCRIBE' || step === 'CANCEL') return;
    const schedules = this.tools.stripe().subscriptionSchedules;
    if (isForeignSchedule(await asking(() => schedules.retrieve(scheduleId)))) throw byContract(plan);
  }

  private async proration(row: BillingSubscription, { plan, cycle }: Target, now: Date): Promise<Invoiced> {
    const { stripe, prices } = this.tools;
    return asking(async () =>
      told(
        plan,
        await stripe().invoices.createPreview({
          customer: row.customerId!,
          subscription: row.stripeId!,
          subscription_details: {
            items: [{ id: row.stripeItemId!, price: await prices.idOf(plan, cycle) }],
            proration_behavior: 'always_invoice',
            proration_date: Math.floor(now.getTime() / 1000),
          },
        }),
      ),
    );
  }

  /** What one that is paused costs to go on, with all that was agreed for it. */
  private async resumption(row: BillingSubscription): Promise<Invoiced> {
    return asking(async () =>
      told(
        row.subscribedPlan ?? Plan.FREE,
        await this.tools.stripe().invoices.createPreview({
          customer: row.customerId!,
          subscription: row.stripeId!,
          subscription_details: { resume_at: 'now' },
        }),
      ),
    );
  }
}

type Invoiced = Pick<PlanChangePreview, 'amountDue' | 'lines' | 'currency'>;

function told(plan: Plan, invoice: Stripe.Invoice): Invoiced {
  return {
    // What is more than paid is kept for the next invoice, which amount_due does not tell.
    amountDue: invoice.amount_due > 0 ? invoice.amount_due : Math.min(0, invoice.total),
    currency: invoice.currency,
    lines: invoice.lines.data.map(({ description, amount, parent }) => ({
      description: description ?? packages[plan].name,
      amount,
      isProration: parent?.subscription_item_details?.proration ?? false,
    })),
  };
}

function firstPayment(
  { plan, cycle }: Target,
  tier: PartnerTierData | undefined,
): Pick<PlanChangePreview, 'amountDue' | 'lines'> {
  const { prices, name } = packages[plan];
  const amount = prices?.[cycle] ?? 0;
  const line = { description: name, amount, isProration: false };
  if (!tier) return { amountDue: amount, lines: [line] };
  // As Stripe rounds it.
  const off = Math.round((amount * tier.discountPercent) / 100);
  const description = `Partner ${tier.name}, ${tier.discountPercent} % off`;
  return { amountDue: amount - off, lines: [line, { description, amount: -off, isProration: false }] };
}

function effectOf(step: Step, row: BillingSubscription): ChangeEffect {
  if (step === 'NOTHING') return ChangeEffect.NONE;
  // One that is paused has no period that is paid.
  return (step === 'CANCEL' && !isPaused(row)) || step === 'DOWNGRADE'
    ? ChangeEffect.AT_PERIOD_END
    : ChangeEffect.AT_ONCE;
}
