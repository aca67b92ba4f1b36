import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { User } from '../user/user.entity.js';
import type { EmailVerificationService } from './email-verification.service.js';
import { VerifyEmailInput, VerifyEmailPayload } from './email.inputs.js';

@Resolver()
export class EmailResolver {
  constructor(private readonly verification: EmailVerificationService) {}

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
}
