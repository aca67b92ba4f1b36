import { ArgsType, Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { PageArgs } from '#platform/subgraph/paging.js';

import { RemediationStatus } from './remediation.entity.js';

@InputType({ description: 'Whom a policy is to be brought to.' })
export class RemediatePolicyInput {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => [ID], {
    nullable: true,
    description: 'On which instances, at most 100; where it does not hold, the first 100, unless told.',
  })
  instanceIds?: string[] | null;
}

export const remediatePolicyRules = z.object({
  policyId: z.string(),
  instanceIds: z
    .array(z.string())
    .min(1, 'Name at least one instance')
    .max(100, 'At most 100 instances')
    .nullish(),
});

@InputType({ description: 'Which remediations to list.' })
export class PolicyRemediationFilter {
  @Field(() => RemediationStatus, { nullable: true, description: 'Only those in this state.' })
  status?: RemediationStatus | null;
}

@ArgsType()
export class PolicyRemediationsArgs extends PageArgs {
  @Field(() => ID, { nullable: true, description: 'Only those of this policy.' })
  policyId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only those on this instance.' })
  instanceId?: string | null;

  @Field(() => PolicyRemediationFilter, { nullable: true, description: 'Which of them; all unless told.' })
  filter?: PolicyRemediationFilter | null;
}
