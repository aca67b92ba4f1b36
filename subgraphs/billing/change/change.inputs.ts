import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { Plan } from '#platform/entitlement/plans.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { insteadOf, MinorUnits } from '../money/minor-units.js';
import { BillingCycle } from '../package/packages.js';

const keyText =
  'Repeating a call under the same key within 24 hours changes nothing more. 1 to 255 visible ASCII characters; the ' +
  'header `Idempotency-Key` does the same.';

@InputType({ description: 'The plan that a tenant wants, and how it is to be paid.' })
export class ChangeSubscriptionInput {
  @Field(() => Plan, { description: 'The plan. `ENTERPRISE` is made by contract only.' })
  plan!: Plan;

  @Field(() => BillingCycle, { nullable: true, description: 'How often it is paid; as now unless told.' })
  billingCycle?: BillingCycle | null;

  @Field(() => String, { nullable: true, description: keyText })
  idempotencyKey?: string | null;
}

@InputType({ description: 'How a call may be repeated.' })
export class SubscriptionCallInput {
  @Field(() => String, { nullable: true, description: keyText })
  idempotencyKey?: string | null;
}

@InputType({ description: 'A plan that is to be looked at before it is asked for.' })
export class PreviewPlanChangeInput {
  @Field(() => Plan, { description: 'The plan.' })
  plan!: Plan;

  @Field(() => BillingCycle, { nullable: true, description: 'How often it is paid; as now unless told.' })
  billingCycle?: BillingCycle | null;
}

@InputType({ description: 'What is to be bought on a page of the payment provider.' })
export class CreateCheckoutSessionInput {
  @Field(() => Plan, { description: 'The plan: `PRO`.' })
  plan!: Plan;

  @Field(() => BillingCycle, {
    nullable: true,
    description: 'How often it is paid; every month unless told.',
  })
  billingCycle?: BillingCycle | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it begins with a trial without payment, which each tenant may have once.',
  })
  withTrial?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'A coupon that lowers the price; at most 200 characters.',
  })
  coupon?: string | null;

  @Field(() => String, { nullable: true, description: keyText })
  idempotencyKey?: string | null;
}

export const createCheckoutSessionRules = z.object({
  plan: z.enum(Plan).refine((plan) => plan === Plan.PRO, 'Only the plan pro can be bought by oneself'),
  billingCycle: z.enum(BillingCycle).nullish(),
  withTrial: z.boolean().nullish(),
  coupon: z
    .string()
    .trim()
    .min(1, 'Coupon must not be empty')
    .max(200, 'Coupon must have at most 200 characters')
    .nullish(),
});

@ObjectType({ description: 'A page of the payment provider, to be opened in a browser.' })
export class HostedPage {
  @Field(() => String, { description: 'Its address.' })
  url!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when it can be opened; null when that is not told.',
  })
  expiresAt!: Date | null;
}

export enum ChangeEffect {
  NONE = 'NONE',
  AT_ONCE = 'AT_ONCE',
  AT_PERIOD_END = 'AT_PERIOD_END',
}

registerEnumType(ChangeEffect, {
  name: 'ChangeEffect',
  description: 'When a change of plan takes effect.',
  valuesConfig: {
    NONE: { description: 'Nothing would change.' },
    AT_ONCE: { description: 'At once: to a larger plan, or to one that is paid for longer.' },
    AT_PERIOD_END: { description: 'When the period that is paid ends.' },
  },
});

@ObjectType({ description: 'One line of what would be paid.' })
export class PreviewLine {
  @Field(() => String, { description: 'What for.' })
  description!: string;

  @Field(() => Int, {
    description: 'Minor units of the currency; negative for what is set off.',
    deprecationReason: insteadOf('amountExact'),
  })
  amount!: number;

  @Field(() => MinorUnits, { description: 'How much; negative for what is set off.' })
  amountExact!: number;

  @Field(() => Boolean, { description: 'Whether it is for a part of a period.' })
  isProration!: boolean;
}

@ObjectType({ description: 'A limit of a plan that is too small for what is in use.' })
export class LimitProblem {
  @Field(() => String, { description: '`instances`, `users` or `storageGb`.' })
  limit!: string;

  @Field(() => Number, { description: 'How much is in use.' })
  used!: number;

  @Field(() => Number, { description: 'How much the plan allows.' })
  allowed!: number;
}

@ObjectType({ description: 'What a change of plan would cost, and what stands against it.' })
export class PlanChangePreview {
  @Field(() => Plan, { description: 'The plan.' })
  plan!: Plan;

  @Field(() => BillingCycle, { description: 'How often it would be paid.' })
  billingCycle!: BillingCycle;

  @Field(() => ChangeEffect, { description: 'When it would take effect.' })
  effect!: ChangeEffect;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it would take effect; null when nothing would change.',
  })
  effectiveAt!: Date | null;

  @Field(() => Int, {
    description: 'What would be paid at once, in minor units; negative is kept for the next invoice.',
    deprecationReason: insteadOf('amountDueExact'),
  })
  amountDue!: number;

  @Field(() => MinorUnits, {
    description: 'What would be paid at once, to which the lines sum; negative is kept for the next invoice.',
  })
  amountDueExact!: number;

  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  currency!: string;

  @Field(() => [PreviewLine], { description: 'What that is made of. At most 100.' })
  lines!: PreviewLine[];

  @Field(() => [LimitProblem], { description: 'The change is refused while there are any.' })
  problems!: LimitProblem[];
}
