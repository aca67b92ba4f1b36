import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { PageArgs, pageOf } from '#platform/subgraph/paging.js';

import { newPassword } from '../password/password-hash.js';
import { emailAddress } from '../user/email-address.js';
import { User, UserRole } from '../user/user.entity.js';
import { shownName } from '../user/user.inputs.js';

@ObjectType({ description: "One page of the tenant's users." })
export class UserPage extends pageOf(User, 'User') {}

@InputType({ description: 'Which users; all that is given has to fit.' })
export class MemberFilter {
  @Field(() => [ID], {
    nullable: true,
    description: 'These, at most 500; whoever is no user of the tenant is left out.',
  })
  ids?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'What is in the name or the e-mail address, in any case; at most 254 characters.',
  })
  search?: string | null;
}

@ArgsType()
export class MembersArgs extends PageArgs {
  @Field(() => MemberFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: MemberFilter | null;
}

export const memberFilterRules = z.object({
  ids: z.array(z.string()).max(500, 'There may be at most 500 ids').nullish(),
  search: z.string().trim().max(254, 'Search must have at most 254 characters').nullish(),
});

@InputType({ description: 'Narrows a list of invitations; what is left out does not narrow.' })
export class InvitationFilter {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Only those that can be accepted now, or only those that were accepted, taken back or have expired.',
  })
  isOpen?: boolean | null;
}

@ArgsType()
export class InvitationsArgs extends PageArgs {
  @Field(() => InvitationFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: InvitationFilter | null;
}

@InputType({ description: 'Whom to invite, and what they will be allowed to do.' })
export class InviteMemberInput {
  @Field(() => String, {
    description: 'Where the link goes. CONFLICT (ALREADY_MEMBER) when it is a user of the tenant.',
  })
  email!: string;

  @Field(() => UserRole, {
    description: 'Their role. Only owners invite owners: FORBIDDEN (OWNER_REQUIRED).',
  })
  role!: UserRole;

  @Field(() => String, {
    nullable: true,
    description: "Needed to invite an owner: the viewer's password. VALIDATION_FAILED when it is wrong.",
  })
  currentPassword?: string | null;
}

export const inviteMemberRules = z.object({
  email: emailAddress,
  role: z.enum(UserRole),
  currentPassword: z.string().nullish(),
});

@InputType({ description: 'The link of an invitation, and the account it makes.' })
export class AcceptInvitationInput {
  @Field(() => String, { description: 'The token of the link that was mailed.' })
  token!: string;

  @Field(() => String, { description: 'The name shown to others; 1 to 200 characters.' })
  name!: string;

  @Field(() => String, { description: '12 to 256 characters.' })
  password!: string;
}

export const acceptInvitationRules = z.object({
  token: z.string(),
  name: shownName('Name'),
  password: newPassword,
});

@InputType({ description: 'A user of the tenant, and the role they get.' })
export class ChangeMemberRoleInput {
  @Field(() => ID, { description: 'The user.' })
  userId!: string;

  @Field(() => UserRole, {
    description: 'The new role. Only owners make or unmake owners: FORBIDDEN (OWNER_REQUIRED).',
  })
  role!: UserRole;

  @Field(() => String, {
    nullable: true,
    description:
      "Needed to make or unmake an owner: the viewer's password. VALIDATION_FAILED when it is wrong.",
  })
  currentPassword?: string | null;
}

@ArgsType()
export class EndMemberSessionsArgs {
  @Field(() => ID, { description: 'The user.' })
  userId!: string;

  @Field(() => String, {
    nullable: true,
    description: "Needed for an owner's: the viewer's password. VALIDATION_FAILED when it is wrong.",
  })
  currentPassword?: string | null;
}

@ArgsType()
export class RemoveMemberArgs {
  @Field(() => ID, { description: 'The user.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: "Needed to remove an owner: the viewer's password. VALIDATION_FAILED when it is wrong.",
  })
  currentPassword?: string | null;
}
