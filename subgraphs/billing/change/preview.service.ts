import type Stripe from 'stripe';

import type { Admission } from '#platform/admission/admission.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { Plan } from '#platform/entitlement/plans.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { asInt } from '../money/minor-units.js';
import { packages } from '../package/packages.js';
import { partnerTerms } from '../partner/partner-terms.service.js';
import type { PartnerTierData } from '../partner/partner-tiers.js';
import type { Prices } from '../stripe/prices.js';
import { isForeignSchedule } from '../stripe/schedules.js';
import type { StripeSource } from '../stripe/stripe-client.js';
import { asking, isMissing } from '../stripe/stripe-errors.js';
import type { BillingSubscription } from '../subscription/subscription.entity.js';
import { readSubscription } from '../subscription/subscription.store.service.js';
import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { ChangeEffect, type PlanChangePreview, type PreviewPlanChangeInput } from './change.inputs.js';
import {
  byContract,
  cycleOf,
  isOtherPlan,
  isPaused,
  isSmallerPlan,
  stepTo,
  type Step,
  type Target,
} from './change.rules.js';
import type { MeansFinder } from './means.service.js';
import { overLimits } from './over-limits.service.js';
import { changeTo } from './plan-admission.js';

/** What a change of plan would cost, as Stripe counts it. */
export class PreviewService {
  constructor(
    private readonly tools: {
      stripe: StripeSource;
      prices: Prices;
      means: MeansFinder;
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
    const isSmaller = (step === 'CANCEL' || step === 'DOWNGRADE') && isSmallerPlan(row, target.plan);
    const base = {
      plan: target.plan,
      billingCycle: target.cycle,
      currency: row.currency ?? packages[target.plan].currency,
      effect: effectOf(step, row),
      problems: isSmaller ? await overLimits(em, tenantId, target.plan) : [],
    };
    const none: Invoiced = { amountDue: 0, lines: [], currency: base.currency };
    const now = await this.tools.times.of(operation);
    const answer = (effectiveAt: Date | null, invoiced: Invoiced) => ({
      ...base,
      effectiveAt,
      ...shownOf(invoiced),
    });
    if (step === 'UPGRADE') return answer(now, await this.proration(row, target, now));
    if (step === 'RESUME' && isPaused(row)) return answer(now, await this.resumption(row));
    if (step === 'SUBSCRIBE') return answer(now, await this.firstInvoice(em, row, target));
    if (base.effect === ChangeEffect.AT_PERIOD_END) return answer(row.periodEnd, none);
    return answer(base.effect === ChangeEffect.NONE ? null : now, none);
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

  /** The first of a new subscription; of a customer that Stripe does not know, who has no credit there, as listed. */
  private async firstInvoice(
    em: SqlEntityManager,
    { customerId }: BillingSubscription,
    target: Target,
  ): Promise<Invoiced> {
    const { stripe, prices, means } = this.tools;
    const tier = (await partnerTerms(em))?.tier;
    if (customerId === null) return firstPayment(target, tier);
    return asking(async () => {
      const discounts = await means.discountsOf(em);
      const price = await prices.idOf(target.plan, target.cycle);
      try {
        const invoice = await stripe().invoices.createPreview({
          customer: customerId,
          subscription_details: { items: [{ price }] },
          ...(discounts.length > 0 ? { discounts } : {}),
        });
        return told(target.plan, invoice, tier && discountOf(tier));
      } catch (error) {
        // Somebody has deleted it there: the next one begins with nothing.
        if (!isMissing(error)) throw error;
        return firstPayment(target, tier);
      }
    });
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

type Line = Omit<PlanChangePreview['lines'][number], 'amountExact'>;

/** Amounts as they are, however large. */
interface Invoiced {
  amountDue: number;
  lines: Line[];
  currency: string;
}

function shownOf({
  amountDue,
  lines,
  currency,
}: Invoiced): Pick<PlanChangePreview, 'amountDue' | 'amountDueExact' | 'lines' | 'currency'> {
  return {
    amountDue: asInt(amountDue),
    amountDueExact: amountDue,
    lines: lines.map((line) => ({ ...line, amount: asInt(line.amount), amountExact: line.amount })),
    currency,
  };
}

/** Its lines sum to what is due. */
function told(plan: Plan, invoice: Stripe.Invoice, discount = 'Discount'): Invoiced {
  // What is more than paid is kept for the next invoice, less what was owed before, which amount_due does not tell.
  const kept = Math.min(0, invoice.total + Math.max(0, invoice.starting_balance));
  const amountDue = invoice.amount_due > 0 ? invoice.amount_due : kept;
  const lines = invoice.lines.data.map(({ description, amount, parent }) => ({
    description: description ?? packages[plan].name,
    amount,
    isProration: parent?.subscription_item_details?.proration ?? false,
  }));
  const off = -sumOf(invoice.total_discount_amounts ?? []);
  const tax = sumOf((invoice.total_taxes ?? []).filter(({ tax_behavior: how }) => how === 'exclusive'));
  const balance = amountDue - invoice.total;
  // A preview has its first lines only, and credits of Stripe's own kind, shipping and the like are none.
  const rest = invoice.total - (sumOf(lines) + off + tax);
  const others: Line[] = [
    { description: rest < 0 ? 'Other credits' : 'Other items', amount: rest, isProration: false },
    { description: discount, amount: off, isProration: false },
    { description: 'Taxes', amount: tax, isProration: false },
    {
      description: balance < 0 ? 'Credit that was kept' : 'Left to pay from before',
      amount: balance,
      isProration: false,
    },
  ];
  return {
    amountDue,
    currency: invoice.currency,
    lines: [...lines, ...others.filter(({ amount }) => amount !== 0)],
  };
}

const sumOf = (parts: readonly { amount: number }[]): number =>
  parts.reduce((sum, { amount }) => sum + amount, 0);

/** As listed, before anybody has bought anything. */
function firstPayment({ plan, cycle }: Target, tier: PartnerTierData | undefined): Invoiced {
  const { prices, name, currency } = packages[plan];
  const amount = prices?.[cycle] ?? 0;
  const line = { description: name, amount, isProration: false };
  if (!tier) return { amountDue: amount, currency, lines: [line] };
  // As Stripe rounds it.
  const off = Math.round((amount * tier.discountPercent) / 100);
  return {
    amountDue: amount - off,
    currency,
    lines: [line, { description: discountOf(tier), amount: -off, isProration: false }],
  };
}

const discountOf = ({ name, discountPercent }: PartnerTierData): string =>
  `Partner ${name}, ${discountPercent} % off`;

function effectOf(step: Step, row: BillingSubscription): ChangeEffect {
  if (step === 'NOTHING') return ChangeEffect.NONE;
  // One that is paused has no period that is paid.
  return (step === 'CANCEL' && !isPaused(row)) || step === 'DOWNGRADE'
    ? ChangeEffect.AT_PERIOD_END
    : ChangeEffect.AT_ONCE;
}
