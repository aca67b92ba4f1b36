import { Arg, Args, Authorized, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { AuthPayload } from '../session/auth-payload.js';
import { User } from '../user/user.entity.js';
import { Invitation, InvitationPage } from './invitation.entity.js';
import type { InvitationService } from './invitation.service.js';
import {
  AcceptInvitationInput,
  ChangeMemberRoleInput,
  EndMemberSessionsArgs,
  InviteMemberInput,
  RemoveMemberArgs,
  UserPage,
} from './member.inputs.js';
import type { MemberService } from './member.service.js';

@Resolver()
export class MemberResolver {
  constructor(
    private readonly members: MemberService,
    private readonly invitations: InvitationService,
  ) {}

  @Authorized('identity.member.read')
  @Query(() => UserPage, {
    name: 'members',
    description: "The tenant's users, in the order in which they joined.",
  })
  async listMembers(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<User>> {
    return this.members.page(operation, args);
  }

  @Authorized('identity.member.manage')
  @Query(() => InvitationPage, {
    name: 'invitations',
    description: "The tenant's invitations, oldest first, ended ones included.",
  })
  async listInvitations(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<Invitation>> {
    return this.invitations.page(operation, args);
  }

  @Authorized('identity.member.manage')
  @Mutation(() => Invitation, {
    description:
      'Mails someone a link by which they join the tenant. Inviting an address again renews its link. LIMIT_REACHED (USERS_LIMIT) ' +
      'when the plan allows no more users, open invitations included; CONFLICT (ALREADY_MEMBER, PAYMENT_OVERDUE), FORBIDDEN (OWNER_REQUIRED, ' +
      'ROLE_CHANGED), VALIDATION_FAILED, RATE_LIMITED after several to one address or very many.',
  })
  async inviteMember(
    @Arg('input', () => InviteMemberInput) input: InviteMemberInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Invitation> {
    return this.invitations.invite(operation, input);
  }

  @Authorized('identity.member.manage')
  @Mutation(() => Invitation, {
    description:
      'Takes an invitation back. Safe to repeat. NOT_FOUND, CONFLICT (INVITATION_ACCEPTED), FORBIDDEN (OWNER_REQUIRED) for that of an owner.',
  })
  async revokeInvitation(
    @Arg('id', () => ID, { description: 'The invitation.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Invitation> {
    return this.invitations.revoke(operation, id);
  }

  @Mutation(() => AuthPayload, {
    description:
      'Makes the account of an invitation and signs it in. Public. UNAUTHENTICATED (INVITATION_INVALID) when the link is ' +
      'unknown, ended or used; CONFLICT (EMAIL_TAKEN, PAYMENT_OVERDUE), LIMIT_REACHED (USERS_LIMIT), VALIDATION_FAILED.',
  })
  async acceptInvitation(
    @Arg('input', () => AcceptInvitationInput) input: AcceptInvitationInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.invitations.accept(operation, input);
  }

  @Authorized('identity.member.manage')
  @Mutation(() => User, {
    description:
      'Gives a user of the tenant another role and ends their sessions, the API keys they made that may do more than it, ' +
      'and the open invitations they sent that it could not send. Safe to repeat. NOT_FOUND, CONFLICT (LAST_OWNER, ' +
      'ROLE_CHANGED when theirs was changed meanwhile), FORBIDDEN (OWNER_REQUIRED, ROLE_CHANGED when yours was), ' +
      'VALIDATION_FAILED on currentPassword, RATE_LIMITED.',
  })
  async changeMemberRole(
    @Arg('input', () => ChangeMemberRoleInput) input: ChangeMemberRoleInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.members.changeRole(operation, input);
  }

  @Authorized('identity.member.manage')
  @Mutation(() => User, {
    description:
      'Ends all sessions of another user of the tenant, for a lost or stolen device: their tokens are refused within ' +
      'seconds, and the user is told by mail. Password, second factor and API keys stay as they are. Safe to repeat: ' +
      'without sessions nothing happens. NOT_FOUND, CONFLICT (OWN_ACCOUNT, ROLE_CHANGED when theirs was changed ' +
      'meanwhile), FORBIDDEN (OWNER_REQUIRED, ROLE_CHANGED when yours was), VALIDATION_FAILED on currentPassword, ' +
      'RATE_LIMITED.',
  })
  async endMemberSessions(
    @Args(() => EndMemberSessionsArgs) { userId, currentPassword }: EndMemberSessionsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.members.endSessions(operation, userId, currentPassword);
  }

  @Authorized('identity.member.manage')
  @Mutation(() => User, {
    description:
      'Removes a user from the tenant: the account is deleted, its tokens and the API keys it made are refused within ' +
      'seconds, and the open invitations it sent end. NOT_FOUND, CONFLICT (LAST_OWNER, ADMINISTRATOR, ROLE_CHANGED when ' +
      'theirs was changed meanwhile), FORBIDDEN (OWNER_REQUIRED, ROLE_CHANGED when yours was), VALIDATION_FAILED on ' +
      'currentPassword, RATE_LIMITED.',
  })
  async removeMember(
    @Args(() => RemoveMemberArgs) { id, currentPassword }: RemoveMemberArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.members.remove(operation, id, currentPassword);
  }
}
