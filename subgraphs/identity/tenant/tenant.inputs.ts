import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { Plan } from '#platform/entitlement/plans.js';

import { emailAddress } from '../user/email-address.js';
import { shownName } from '../user/user.inputs.js';

@InputType({ description: 'A tenant and the plan it gets.' })
export class GrantPlanInput {
  @Field(() => ID, { description: 'The tenant that gets the plan.' })
  tenantId!: string;

  @Field(() => Plan, { description: 'The plan to put in force.' })
  plan!: Plan;
}

@InputType({ description: 'A tenant to be made, and who is to own it.' })
export class CreateTenantInput {
  @Field(() => String, { description: 'The name of the organization; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'Who is invited as its owner, by mail.' })
  ownerEmail!: string;
}

export const createTenantRules = z.object({ name: shownName('Name'), ownerEmail: emailAddress });
