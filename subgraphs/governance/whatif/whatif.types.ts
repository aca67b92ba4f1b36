import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { Json } from '#platform/subgraph/scalars.js';

import { ruleDescription } from '../policy/policy.entity.js';
import { createPolicyRules, PolicyRuleInput } from '../policy/policy.inputs.js';
import { PolicyEvidence, PolicyStatus } from '../result/result.entity.js';

@InputType({ description: 'A policy that is not made yet.' })
export class PreviewPolicyInput {
  @Field(() => PolicyRuleInput, { description: ruleDescription })
  rule!: PolicyRuleInput;

  @Field(() => Json, {
    nullable: true,
    description: 'Whom it would be for, as in `createPolicy`; `"all_instances"` unless told.',
  })
  appliesTo?: unknown;

  @Field(() => ID, {
    nullable: true,
    description: 'The policy that it would take the place of: its exemptions count.',
  })
  policyId?: string | null;
}

const { rule, appliesTo } = createPolicyRules.shape;
export const previewPolicyRules = z.object({ rule, appliesTo, policyId: z.string().nullish() });

@ObjectType({ description: 'How one instance would be judged.' })
export class PolicyPreviewResult {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => PolicyStatus, { description: 'Whether the policy would hold there.' })
  status!: PolicyStatus;

  @Field(() => PolicyEvidence, { nullable: true, description: 'Why not; null where it would hold.' })
  evidence!: PolicyEvidence | null;
}

@ObjectType({ description: "What a policy would find in today's fleet. Nothing is kept." })
export class PolicyPreview {
  @Field(() => Int, { description: 'Instances on which it would hold.' })
  passing!: number;

  @Field(() => Int, { description: 'Instances on which it would not.' })
  failing!: number;

  @Field(() => Int, { description: 'Instances of which it is not known.' })
  unknown!: number;

  @Field(() => Int, { description: 'Instances that are exempt.' })
  exempt!: number;

  @Field(() => Int, { description: 'Instances that it would not be for.' })
  notApplicable!: number;

  @Field(() => [PolicyPreviewResult], {
    description: 'The first 500 instances on which it would not hold, then those of which it is not known.',
  })
  results!: PolicyPreviewResult[];
}
