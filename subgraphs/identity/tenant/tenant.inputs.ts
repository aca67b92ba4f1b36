import { Field, ID, InputType } from 'type-graphql';

import { Plan } from './tenant.entity.js';

@InputType()
export class GrantPlanInput {
  @Field(() => ID, { description: 'The tenant that gets the plan.' })
  tenantId!: string;

  @Field(() => Plan, { description: 'The plan to put in force.' })
  plan!: Plan;
}
