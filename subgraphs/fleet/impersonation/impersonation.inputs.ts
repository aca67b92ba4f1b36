import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

import { InputWarning, unknownFieldsDescription } from '../reported/input-warning.js';
import { UserReference } from './user.reference.js';

@InputType({ description: 'Why a node is opened.' })
export class ImpersonateInstanceInput {
  @Field(() => String, {
    nullable: true,
    description: 'For the audit trail and for the node, at most 500 characters.',
  })
  reason?: string | null;
}

export const impersonateInstanceRules = z.object({
  reason: z.string().trim().max(500, 'Reason must have at most 500 characters').nullish(),
});

@ObjectType({ description: 'A way into a node, good for one use within 60 seconds.' })
export class ImpersonateInstancePayload {
  @Field(() => String, {
    description: 'Where to send the browser: `{baseUrl}/api/cp/session?token=<JWT>`. In this answer only.',
  })
  sessionUrl!: string;

  @Field(() => DateTime, { description: 'When it stops working.' })
  expiresAt!: Date;
}

@InputType({ description: 'A token that a browser brought to the node.' })
export class RedeemImpersonationInput {
  @Field(() => String, { description: 'The token.' })
  token!: string;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}

export const redeemImpersonationRules = z.object({
  token: z.string().min(1, 'Token is required').max(4_000, 'Token must have at most 4000 characters'),
});

@ObjectType({ description: 'Who the node is to sign in, and who is really at the browser.' })
export class RedeemImpersonationPayload {
  @Field(() => UserReference, { description: 'Whose session it is.' })
  user!: UserReference;

  @Field(() => String, {
    description: 'The id of the user who acts in it. The node names both in its own records.',
  })
  actor!: string;

  @Field(() => String, { nullable: true, description: 'Why, as the actor said; null when nothing was.' })
  reason!: string | null;

  @Field(() => Int, {
    description:
      'Seconds that the session may last: 1800, or what is left of the grant by which whoever acts in a client came. A grant that is taken back sooner ends no session of a node.',
  })
  expiresIn!: number;

  @Field(() => [InputWarning], {
    nullable: true,
    description: 'Fields of the input that are not known and were ignored; null when there were none.',
  })
  warnings!: InputWarning[] | null;
}
