import type { Operation } from '#platform/subgraph/operation.js';

import type { LoginService } from '../session/login.service.js';
import type { SessionTokens } from '../session/session-tokens.js';
import type { VerifyTotpInput, VerifyTotpPayload } from './totp.inputs.js';
import type { TotpService } from './totp.service.js';

const nothing = {
  totpEnabled: null,
  user: null,
  accessToken: null,
  refreshToken: null,
  tokenType: null,
  expiresIn: null,
};

/** The two uses of a code: to complete a sign-in, and to put a new secret in force. */
export class TotpSignIn {
  constructor(
    private readonly totp: TotpService,
    private readonly logins: LoginService,
    private readonly tokens: SessionTokens,
  ) {}

  async verify(operation: Operation, { code, challengeToken }: VerifyTotpInput): Promise<VerifyTotpPayload> {
    if (challengeToken) {
      const { user, accessToken, refreshToken, tokenType, expiresIn } = await this.logins.answer(
        operation,
        challengeToken,
        code,
        (write, found) => this.tokens.open(operation, write, found),
      );
      return { ...nothing, user, accessToken, refreshToken, tokenType, expiresIn };
    }
    operation.requireUser();
    operation.require('identity.account.manage');
    await this.totp.confirm(operation, code);
    return { ...nothing, totpEnabled: true };
  }
}
