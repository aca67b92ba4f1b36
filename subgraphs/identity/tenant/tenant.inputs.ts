import { Field, ID, InputType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';

@InputType({ description: 'A tenant and the plan it gets.' })
export class GrantPlanInput {
  @Field(() => ID, { description: 'The tenant that gets the plan.' })
  tenantId!: string;

  @Field(() => Plan, { description: 'The plan to put in force.' })
  plan!: Plan;
}
