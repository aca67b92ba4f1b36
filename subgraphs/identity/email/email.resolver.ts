import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { User } from '../user/user.entity.js';
import type { EmailChangeService } from './email-change.service.js';
import type { EmailVerificationService } from './email-verification.service.js';
import { ConfirmEmailChangeInput, VerifyEmailInput, VerifyEmailPayload } from './email.inputs.js';

@Resolver()
export class EmailResolver {
  constructor(
    private readonly verification: EmailVerificationService,
    private readonly changes: EmailChangeService,
  ) {}

  @Mutation(() => VerifyEmailPayload, {
    description:
      'Proves an e-mail address by the link that was mailed to it. Public. UNAUTHENTICATED (MAIL_TOKEN_INVALID) when ' +
      'the link is unknown, ended or used.',
  })
  async verifyEmail(
    @Arg('input', () => VerifyEmailInput, { description: 'The link.' }) input: VerifyEmailInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<VerifyEmailPayload> {
    return this.verification.verify(operation, input.token);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => User, {
    description:
      "Mails a new link that verifies the viewer's e-mail address; the one before it ends. Nothing happens when the " +
      'address is verified. RATE_LIMITED.',
  })
  async sendEmailVerification(@Ctx() { operation }: SubgraphContext): Promise<User> {
    return this.verification.resend(operation);
  }

  @Mutation(() => VerifyEmailPayload, {
    description:
      'Puts a new e-mail address in force, by the link that was mailed to it; the former one is told. Public. ' +
      'UNAUTHENTICATED (MAIL_TOKEN_INVALID) when the link is unknown, ended, used or called off; CONFLICT (EMAIL_TAKEN).',
  })
  async confirmEmailChange(
    @Arg('input', () => ConfirmEmailChangeInput, { description: 'The link.' }) input: ConfirmEmailChangeInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<VerifyEmailPayload> {
    return this.changes.confirm(operation, input.token);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => User, {
    description:
      "Calls off the change of the viewer's e-mail address that awaits confirmation: its link ends. Safe to repeat.",
  })
  async cancelEmailChange(@Ctx() { operation }: SubgraphContext): Promise<User> {
    return this.changes.cancel(operation);
  }
}
