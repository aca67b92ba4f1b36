import { Arg, Authorized, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { BillingSubscription } from '../subscription/subscription.entity.js';
import {
  ChangeSubscriptionInput,
  CreateCheckoutSessionInput,
  HostedPage,
  PlanChangePreview,
  PreviewPlanChangeInput,
  SubscriptionCallInput,
} from './change.inputs.js';
import type { ChangeService } from './change.service.js';
import type { HostedPages } from './hosted-pages.service.js';
import type { PreviewService } from './preview.service.js';

const away = 'UNAVAILABLE (STRIPE_AWAY) when the payment provider does not answer';
const noPrice = 'UNAVAILABLE (NO_PRICE) until the operator has made the price';
const unsold = `CONFLICT (NO_PAYMENT_PROVIDER) on a panel that sells nothing, (STRIPE_REFUSED) with Stripe's own word in \`details.code\``;
const stripeAway = `${away}: repeat the call.`;
const madeLater = `${away}: the change is kept (isKept), and made as soon as it can; repeat the call, or leave it.`;

@Resolver()
export class ChangeResolver {
  constructor(
    private readonly changes: ChangeService,
    private readonly previews: PreviewService,
    private readonly pages: HostedPages,
  ) {}

  @Authorized('billing.subscription.manage')
  @Query(() => PlanChangePreview, {
    description:
      'What a change of plan would cost now, counted by the payment provider, and what stands against it. CONFLICT ' +
      `(BY_CONTRACT, MANAGED_BY_PROVIDER, PAYMENT_OVERDUE, SUBSCRIPTION_PAUSED, POLICY_VIOLATION). ${unsold}. ${noPrice}. ${stripeAway}`,
  })
  async previewPlanChange(
    @Arg('input', () => PreviewPlanChangeInput, { description: 'The plan.' }) input: PreviewPlanChangeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PlanChangePreview> {
    return this.previews.preview(operation, input);
  }

  @Authorized('billing.subscription.manage')
  @Mutation(() => BillingSubscription, {
    description:
      'Changes the plan: to a larger one at once, paid at once; to a smaller one when the period that is paid ends. CONFLICT ' +
      '(LIMITS_EXCEEDED) with use and limit of each while more is in use than the smaller one allows, ' +
      '(PAYMENT_METHOD_REQUIRED), (CARD_DECLINED) when the payment fails and nothing changes, (BY_CONTRACT), ' +
      '(MANAGED_BY_PROVIDER), (PAYMENT_OVERDUE), (SUBSCRIPTION_PAUSED), (CHANGE_IN_PROGRESS), (POLICY_VIOLATION) with the ' +
      `policy and its evidence when a mandatory policy does not let the plan be chosen. ${unsold}, (SUBSCRIPTION_CHANGED) when it changed meanwhile: look again. UNAVAILABLE while policies cannot be asked. ${noPrice}. ${madeLater}`,
  })
  async changeSubscription(
    @Arg('input', () => ChangeSubscriptionInput, { description: 'The plan.' }) input: ChangeSubscriptionInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<BillingSubscription> {
    return this.changes.change(operation, input);
  }

  @Authorized('billing.subscription.manage')
  @Mutation(() => BillingSubscription, {
    description:
      'Ends the subscription when the period that is paid ends, one that is PAUSED at once; the plan Free follows. Safe to ' +
      'repeat. CONFLICT ' +
      `(NO_SUBSCRIPTION, MANAGED_BY_PROVIDER, CHANGE_IN_PROGRESS, SUBSCRIPTION_CHANGED). ${unsold}. ${madeLater}`,
  })
  async cancelSubscription(
    @Arg('input', () => SubscriptionCallInput, { nullable: true, description: 'How it may be repeated.' })
    input: SubscriptionCallInput | null,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<BillingSubscription> {
    return this.changes.cancel(operation, input ?? {});
  }

  @Authorized('billing.subscription.manage')
  @Mutation(() => BillingSubscription, {
    description:
      'Takes back that the subscription ends or becomes a smaller plan; one that is PAUSED is paid for a period that begins ' +
      'now, and goes on. Safe to repeat. CONFLICT (NO_SUBSCRIPTION, MANAGED_BY_PROVIDER, CHANGE_IN_PROGRESS), ' +
      '(PAYMENT_METHOD_REQUIRED), (CARD_DECLINED) when the payment fails: it is PAST_DUE then, (BY_CONTRACT) where a ' +
      `contract says that it ends, (SUBSCRIPTION_CHANGED) when it changed meanwhile: look again. ${unsold}. ${madeLater}`,
  })
  async resumeSubscription(
    @Arg('input', () => SubscriptionCallInput, { nullable: true, description: 'How it may be repeated.' })
    input: SubscriptionCallInput | null,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<BillingSubscription> {
    return this.changes.resume(operation, input ?? {});
  }

  @Authorized('billing.subscription.manage')
  @Mutation(() => HostedPage, {
    description:
      'A page on which a plan is bought, with or without a trial. The plan is in force once the provider has told of it. ' +
      'An earlier page that is still open is closed. ' +
      'CONFLICT (ALREADY_SUBSCRIBED, MANAGED_BY_PROVIDER, POLICY_VIOLATION), (CHANGE_IN_PROGRESS) while a change is not ' +
      `finished that may buy it, VALIDATION_FAILED. ${unsold}. ${noPrice}. ${stripeAway}`,
  })
  async createCheckoutSession(
    @Arg('input', () => CreateCheckoutSessionInput, { description: 'What is bought.' })
    input: CreateCheckoutSessionInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<HostedPage> {
    return this.pages.checkout(operation, input);
  }

  @Authorized('billing.subscription.manage')
  @Mutation(() => HostedPage, {
    description: `A page on which payment methods are changed and invoices paid. ${unsold}. ${stripeAway}`,
  })
  async createPortalSession(@Ctx() { operation }: SubgraphContext): Promise<HostedPage> {
    return this.pages.portal(operation);
  }
}
