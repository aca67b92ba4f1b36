import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { User } from '../user/user.entity.js';
import { ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput } from './password.inputs.js';
import type { PasswordService } from './password.service.js';

@Resolver()
export class PasswordResolver {
  constructor(private readonly passwords: PasswordService) {}

  @Authorized('identity.account.manage')
  @Mutation(() => User, {
    description:
      "Changes the viewer's password and ends the viewer's other sessions. VALIDATION_FAILED on currentPassword when it " +
      'is wrong; RATE_LIMITED after several of those.',
  })
  async changePassword(
    @Arg('input', () => ChangePasswordInput, { description: 'Old and new.' }) input: ChangePasswordInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<User> {
    return this.passwords.change(operation, input);
  }

  @Mutation(() => Boolean, {
    description:
      'Mails a link for choosing a new password, if there is such an account. Public. Always true: the answer does not ' +
      'tell whether the account exists (OWASP Forgot Password Cheat Sheet).',
  })
  async requestPasswordReset(
    @Arg('input', () => RequestPasswordResetInput, { description: 'Whose.' })
    input: RequestPasswordResetInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<boolean> {
    await this.passwords.requestReset(operation, input.email);
    return true;
  }

  @Mutation(() => Boolean, {
    description:
      'Sets a new password by the link that was mailed, and ends all sessions of the account. It proves the address; where ' +
      "nobody had before, the account's one-time codes, API keys and open invitations end too, for a stranger may have " +
      'made them. Public. UNAUTHENTICATED (MAIL_TOKEN_INVALID) when the link is unknown, ended or used; VALIDATION_FAILED.',
  })
  async resetPassword(
    @Arg('input', () => ResetPasswordInput, { description: 'The link and the password.' })
    input: ResetPasswordInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<boolean> {
    await this.passwords.reset(operation, input);
    return true;
  }
}
