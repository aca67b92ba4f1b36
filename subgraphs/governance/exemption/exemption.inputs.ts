import { ArgsType, Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { PageArgs } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

@InputType({ description: 'An instance of which a policy need not hold.' })
export class CreatePolicyExemptionInput {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => String, { description: 'Who answers for it, 1 to 200 characters.' })
  owner!: string;

  @Field(() => String, { description: 'Why, 1 to 500 characters.' })
  reason!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it ends, in the future; it does not by itself unless told.',
  })
  expiresAt?: Date | null;
}

export const createExemptionRules = (now: Date) =>
  z.object({
    policyId: z.string(),
    instanceId: z.string(),
    owner: z.string().trim().min(1, 'Owner is required').max(200, 'Owner must have at most 200 characters'),
    reason: z
      .string()
      .trim()
      .min(1, 'Reason is required')
      .max(500, 'Reason must have at most 500 characters'),
    expiresAt: z
      .date()
      .refine((at) => at > now, 'Expires at must be in the future')
      .nullish(),
  });

@ArgsType()
export class PolicyExemptionsArgs extends PageArgs {
  @Field(() => ID, { nullable: true, description: 'Only those from this policy.' })
  policyId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only those of this instance.' })
  instanceId?: string | null;
}
