import { ArgsType, Field, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { Plan } from '#platform/entitlement/plans.js';
import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';
import { PageArgs } from '#platform/subgraph/paging.js';

import { emailAddress } from '../user/email-address.js';
import { shownName } from '../user/user.inputs.js';
import { MspClientStatus } from './msp-client.entity.js';

const maxInstances = 1_000_000;

const instanceLimit = z
  .int('Instance limit must be a whole number')
  .min(1, 'Instance limit must be at least 1')
  .max(maxInstances, `Instance limit must be at most ${maxInstances}`);

@InputType({ description: 'A client to be made.' })
export class CreateMspClientInput {
  @Field(() => String, { description: 'The name of the organization; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: 'Who is invited as its owner, by mail.' })
  contactEmail!: string;

  @Field(() => Int, { description: `How many instances it may have; 1 to ${maxInstances}.` })
  instanceLimit!: number;

  @Field(() => Plan, { description: 'The plan it gets.' })
  plan!: Plan;

  @Field(() => String, { nullable: true, description: idempotencyKeyText })
  idempotencyKey?: string | null;
}

export const createMspClientRules = z.object({
  name: shownName('Name'),
  contactEmail: emailAddress,
  instanceLimit,
  plan: z.enum(Plan),
});

@InputType({ description: 'What changes about a client; fields that are absent or null stay.' })
export class UpdateMspClientInput {
  @Field(() => String, { nullable: true, description: 'The new name; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The contact. While the client has no user yet a new one is invited as its owner, and so is the one on record when ' +
      'nothing else is given; links that went out before end. After that only the record changes.',
  })
  contactEmail?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `The new limit; 1 to ${maxInstances}. CONFLICT (INSTANCES_IN_USE) below what it has.`,
  })
  instanceLimit?: number | null;

  @Field(() => Plan, { nullable: true, description: 'The new plan.' })
  plan?: Plan | null;
}

export const updateMspClientRules = z.object({
  name: shownName('Name').nullish(),
  contactEmail: emailAddress.nullish(),
  instanceLimit: instanceLimit.nullish(),
  plan: z.enum(Plan).nullish(),
});

@InputType({ description: 'Which clients; all that is given has to fit.' })
export class MspClientFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'What is in the name or the e-mail address of the contact, in any case; at most 254 characters.',
  })
  search?: string | null;

  @Field(() => MspClientStatus, { nullable: true, description: 'Those with this status.' })
  status?: MspClientStatus | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Those of which `health.needsAttention` says so.',
  })
  needsAttention?: boolean | null;
}

@ArgsType()
export class MspClientsArgs extends PageArgs {
  @Field(() => MspClientFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: MspClientFilter | null;
}

export const mspClientFilterRules = z.object({
  search: z.string().trim().max(254, 'Search must have at most 254 characters').nullish(),
  status: z.enum(MspClientStatus).nullish(),
  needsAttention: z.boolean().nullish(),
});
