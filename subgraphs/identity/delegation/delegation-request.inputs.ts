import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { PageArgs } from '#platform/subgraph/paging.js';

import { UserRole } from '../user/user.entity.js';
import { grantDelegationRules, maxHours, maxUsers } from './delegation.inputs.js';

@InputType({ description: 'What a client is asked for.' })
export class RequestDelegationInput {
  @Field(() => ID, { description: 'The client.' })
  clientId!: string;

  @Field(() => UserRole, {
    description: 'The most that the users of the provider ask to do; any role but OWNER.',
  })
  role!: UserRole;

  @Field(() => Int, { description: `For how many hours from the approval on; 1 to ${maxHours}.` })
  expiresInHours!: number;

  @Field(() => [String], {
    nullable: true,
    description:
      `E-mail addresses of the users of the provider who alone are to act, 1 to ${maxUsers}; all whose role there lets ` +
      'them are when it is left out or null. The owners of the client see their names and addresses.',
  })
  userEmails?: string[] | null;

  @Field(() => String, {
    description: 'What it is for; 1 to 500 characters. The owners of the client read it.',
  })
  reason!: string;
}

export const requestDelegationRules = grantDelegationRules.extend({
  clientId: z.string(),
  reason: z.string().trim().min(1, 'Reason is required').max(500, 'Reason must have at most 500 characters'),
});

@InputType({
  description: 'What is granted of a request; what is left out or null is granted as it was asked for.',
})
export class ApproveDelegationInput {
  @Field(() => UserRole, {
    nullable: true,
    description: 'VIEWER, or any role where ADMIN was asked for.',
  })
  role?: UserRole | null;

  @Field(() => Int, { nullable: true, description: 'For how many hours; no more than was asked for.' })
  expiresInHours?: number | null;

  @Field(() => [String], {
    nullable: true,
    description:
      `E-mail addresses of the users of the provider who alone may act, 1 to ${maxUsers}: any where nobody was named, ` +
      'else some of those.',
  })
  userEmails?: string[] | null;
}

const { role, expiresInHours, userEmails } = grantDelegationRules.shape;
export const approveDelegationRules = z.object({
  role: role.nullish(),
  expiresInHours: expiresInHours.nullish(),
  userEmails,
});

@ArgsType()
export class DelegationRequestsArgs extends PageArgs {
  @Field(() => ID, {
    nullable: true,
    description: 'Only those to this client, in `delegationRequestsSent`; the others are all to one.',
  })
  clientId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that can be answered now, or only those that can not.',
  })
  isPending?: boolean | null;
}
