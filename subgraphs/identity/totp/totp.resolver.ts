import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { TotpSignIn } from './totp-sign-in.js';
import {
  DisableTotpInput,
  DisableTotpPayload,
  EnableTotpPayload,
  VerifyTotpInput,
  VerifyTotpPayload,
} from './totp.inputs.js';
import type { TotpService } from './totp.service.js';

@Resolver()
export class TotpResolver {
  constructor(
    private readonly totp: TotpService,
    private readonly signIn: TotpSignIn,
  ) {}

  @Authorized('identity.account.manage')
  @Mutation(() => EnableTotpPayload, {
    description:
      "Makes a secret for the viewer's one-time codes (RFC 6238); not in force until `verifyTotp`. Asked again before " +
      'that, it makes another. CONFLICT (TOTP_ON).',
  })
  async enableTotp(@Ctx() { operation }: SubgraphContext): Promise<EnableTotpPayload> {
    return this.totp.enable(operation);
  }

  @Mutation(() => VerifyTotpPayload, {
    description:
      'With a token of the viewer: puts the secret of `enableTotp` in force; VALIDATION_FAILED on code, CONFLICT ' +
      '(TOTP_NOT_ENABLED). With a challenge of `login`, public: completes the sign-in; UNAUTHENTICATED ' +
      '(CHALLENGE_INVALID, TOTP_CODE_INVALID). A code is accepted once (RFC 6238, section 5.2); RATE_LIMITED after ' +
      'several wrong ones.',
  })
  async verifyTotp(
    @Arg('input', () => VerifyTotpInput, { description: 'The code.' }) input: VerifyTotpInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<VerifyTotpPayload> {
    return this.signIn.verify(operation, input);
  }

  @Authorized('identity.account.manage')
  @Mutation(() => DisableTotpPayload, {
    description:
      "Switches the viewer's one-time codes off; secret and recovery codes are forgotten. VALIDATION_FAILED on " +
      'currentPassword or code, CONFLICT (TOTP_OFF), RATE_LIMITED.',
  })
  async disableTotp(
    @Arg('input', () => DisableTotpInput, { description: 'Password and code.' }) input: DisableTotpInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<DisableTotpPayload> {
    await this.totp.disable(operation, input);
    return { totpEnabled: false };
  }
}
