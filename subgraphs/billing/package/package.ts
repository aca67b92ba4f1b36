import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';

import { BillingCycle } from './packages.js';

registerEnumType(BillingCycle, {
  name: 'BillingCycle',
  description: 'How often a plan is paid.',
  valuesConfig: {
    MONTHLY: { description: 'Every month, on the day of the first payment or the last of a shorter month.' },
    YEARLY: { description: 'Every year.' },
  },
});

@ObjectType({ description: 'A plan on offer, and what it costs.' })
export class Package {
  @Field(() => ID, { description: 'The word by which the plan is asked for.' })
  id!: string;

  @Field(() => Plan, { description: 'The plan.' })
  plan!: Plan;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => String, { description: 'Whom it is for.' })
  description!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Minor units of the currency a month; 0 free of charge, null by contract.',
  })
  priceMonthly!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Minor units of the currency a year; 0 free of charge, null by contract.',
  })
  priceYearly!: number | null;

  @Field(() => String, { description: 'ISO 4217, in lower case.' })
  currency!: string;

  @Field(() => Int, {
    description: 'Days without payment that it may begin with, once a tenant; 0 for none.',
  })
  trialDays!: number;

  @Field(() => Int, { nullable: true, description: 'How many instances it allows; null for any number.' })
  instanceLimit!: number | null;

  @Field(() => Int, { nullable: true, description: 'How many users it allows; null for any number.' })
  userLimit!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'GB of storage it allows; null for any amount. While more is in use no instance joins and no server with Cloud OS is made.',
  })
  storageGbLimit!: number | null;

  @Field(() => [String], { description: 'What it includes.' })
  features!: string[];
}
