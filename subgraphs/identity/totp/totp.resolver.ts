import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { SecondFactorReset } from './second-factor-reset.service.js';
import type { TotpSignIn } from './totp-sign-in.js';
import {
  DisableTotpInput,
  DisableTotpPayload,
  EnableTotpInput,
  EnableTotpPayload,
  RegenerateRecoveryCodesInput,
  RegenerateRecoveryCodesPayload,
  ResetSecondFactorInput,
  ResetSecondFactorPayload,
  VerifyTotpInput,
  VerifyTotpPayload,
} from './totp.inputs.js';
import type { TotpService } from './totp.service.js';

@Resolver()
export class TotpResolver {
  constructor(
    private readonly totp: TotpService,
    private readonly signIn: TotpSignIn,
    private readonly resets: SecondFactorReset,
  ) {}

  @Authorized('identity.account.manage')
  @Mutation(() => EnableTotpPayload, {
    description:
      "Makes a secret for the viewer's one-time codes (RFC 6238); not in force until `verifyTotp`, of which the viewer is " +
      'told by mail. Asked again before that, it makes another. VALIDATION_FAILED on currentPassword, CONFLICT ' +
      '(TOTP_ON), RATE_LIMITED after several wrong passwords.',
  })
  async enableTotp(
    @Arg('input', () => EnableTotpInput, { description: 'The password.' }) input: EnableTotpInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<EnableTotpPayload> {
    return this.totp.enable(operation, input);
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

  @Authorized('identity.account.manage')
  @Mutation(() => RegenerateRecoveryCodesPayload, {
    description:
      'Makes ten new recovery codes for the viewer, who is told by mail. Those from before, used or not, work no more. ' +
      'VALIDATION_FAILED on currentPassword or code, CONFLICT (TOTP_OFF), RATE_LIMITED.',
  })
  async regenerateRecoveryCodes(
    @Arg('input', () => RegenerateRecoveryCodesInput, { description: 'Password and code.' })
    input: RegenerateRecoveryCodesInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<RegenerateRecoveryCodesPayload> {
    return { recoveryCodes: await this.totp.regenerateRecoveryCodes(operation, input) };
  }

  @Authorized('identity.second-factor.reset')
  @Mutation(() => ResetSecondFactorPayload, {
    description:
      "Switches a member's one-time codes off, for one who has lost them: secret and recovery codes are forgotten, the " +
      "member's sessions end, and the member is told by mail. An owner's, and that of a platform administrator, is reset " +
      'by another platform administrator: FORBIDDEN (ADMINISTRATOR_REQUIRED, ROLE_CHANGED). Safe to repeat. NOT_FOUND, CONFLICT ' +
      '(OWN_ACCOUNT), VALIDATION_FAILED on currentPassword, RATE_LIMITED.',
  })
  async resetSecondFactor(
    @Arg('input', () => ResetSecondFactorInput, { description: 'Whose, and your password.' })
    input: ResetSecondFactorInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<ResetSecondFactorPayload> {
    const user = await this.resets.reset(operation, input);
    return { userId: user.id, totpEnabled: user.totpConfirmedAt !== null };
  }
}
