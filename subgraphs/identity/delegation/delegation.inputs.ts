import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { PageArgs } from '#platform/subgraph/paging.js';

import { emailAddress } from '../user/email-address.js';
import { UserRole } from '../user/user.entity.js';
import { Delegation } from './delegation.entity.js';

export const maxHours = 24 * 365;
export const maxUsers = 20;

const userEmails = z
  .array(emailAddress)
  .min(1, 'Name somebody')
  .max(maxUsers, `At most ${maxUsers} users can be named`);

@InputType({ description: 'What is granted to the provider.' })
export class GrantDelegationInput {
  @Field(() => UserRole, { description: 'The most that its users may do; any role but OWNER.' })
  role!: UserRole;

  @Field(() => Int, { description: `For how many hours; 1 to ${maxHours}.` })
  expiresInHours!: number;

  @Field(() => [String], {
    nullable: true,
    description:
      `E-mail addresses of the users of the provider who alone may act, 1 to ${maxUsers}; all whose role there lets them ` +
      'may when it is left out or null.',
  })
  userEmails?: string[] | null;

  @Field(() => String, { nullable: true, description: 'What it is for; at most 500 characters.' })
  reason?: string | null;
}

export const grantDelegationRules = z.object({
  role: z.enum(UserRole).refine((role) => role !== UserRole.OWNER, 'Ownership can not be delegated'),
  expiresInHours: z
    .int()
    .min(1, 'It must last at least 1 hour')
    .max(maxHours, `It may last at most ${maxHours} hours`),
  userEmails: userEmails.nullish(),
  reason: z.string().trim().max(500, 'Reason must have at most 500 characters').nullish(),
});

@InputType({ description: 'For whom a grant is from now on.' })
export class LimitDelegationInput {
  @Field(() => ID, { description: 'The grant.' })
  id!: string;

  @Field(() => [String], {
    description: `E-mail addresses of the users of the provider who alone may act; 1 to ${maxUsers}.`,
  })
  userEmails!: string[];
}

export const limitDelegationRules = z.object({ id: z.string(), userEmails });

@InputType({ description: 'Narrows a list of grants; what is left out does not narrow.' })
export class DelegationFilter {
  @Field(() => ID, {
    nullable: true,
    description: 'Only those of this client, in `delegationsReceived`; the others are all of one.',
  })
  clientId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that are in force now, or only those that have ended.',
  })
  isInForce?: boolean | null;
}

@ArgsType()
export class DelegationsArgs extends PageArgs {
  @Field(() => DelegationFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: DelegationFilter | null;
}

@InputType({ description: 'Where to act.' })
export class ActInTenantInput {
  @Field(() => ID, { description: 'The client.' })
  tenantId!: string;
}

@ObjectType({ description: 'A token by which a user of a provider acts in the tenant of a client.' })
export class ActInTenantPayload {
  @Field(() => String, {
    description: 'A JWT for the Authorization header that names the user, the tenant and the grant.',
  })
  accessToken!: string;

  @Field(() => String, { description: '`Bearer`.' })
  tokenType!: string;

  @Field(() => Int, {
    description: 'Seconds until the token ends: at most 15 minutes, and never later than the grant.',
  })
  expiresIn!: number;

  @Field(() => UserRole, {
    description: 'What may be done: the role of the grant, or less when the user has less at home.',
  })
  role!: UserRole;

  @Field(() => Delegation, { description: 'The grant.' })
  delegation!: Delegation;
}
