import { LockMode } from '@mikro-orm/core';
import { renderSVG } from 'uqr';

import { ApiError, invalid } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import type { AccountMail } from '../email/account-mail.js';
import { checkCurrentPassword, requireSamePassword } from '../password/current-password.js';
import { User } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';
import { newTotpSecret, otpauthUrl } from './authenticator.js';
import { makeRecoveryCodes, recoveryCodeHash } from './recovery-codes.js';
import { forgetSecondFactor, switchOff } from './switch-off.service.js';
import type { TotpCodes } from './totp-codes.js';
import { RecoveryCode, TotpSecret } from './totp.entity.js';
import type { DisableTotpInput, EnableTotpInput, EnableTotpPayload } from './totp.inputs.js';

const issuer = 'Quazzar Control Panel';

/** Switches one-time codes on and off. */
export class TotpService {
  constructor(
    private readonly users: UserService,
    private readonly codes: TotpCodes,
    private readonly keyring: Keyring,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Makes a secret that is not in force yet; asked again before it is, it makes another. CONFLICT once it is. Needs the
   * password: with a stolen token alone the owner could be shut out for good.
   */
  async enable(operation: Operation, input: EnableTotpInput): Promise<EnableTotpPayload> {
    const before = await this.users.me(operation);
    await checkCurrentPassword(operation, before, input.currentPassword);
    const secret = newTotpSecret();
    const recoveryCodes = makeRecoveryCodes();
    const { email } = await operation.write(async (write) => {
      const user = await this.lock(operation, write);
      requireSamePassword(user, before);
      if (user.totpConfirmedAt) throw new ApiError('CONFLICT', 'TOTP is on already', { reason: 'TOTP_ON' });
      write.audit({ target: user.id });
      const key = await forgetSecondFactor(write, user);
      write.em.persist(
        Object.assign(new TotpSecret(), {
          ...key,
          sealedSecret: this.keyring.seal(secret, user.id),
          lastUsedStep: 0,
          createdAt: operation.clock.now(),
        }),
      );
      for (const code of recoveryCodes) {
        write.em.persist(
          Object.assign(new RecoveryCode(), { ...key, codeHash: recoveryCodeHash(code), usedAt: null }),
        );
      }
      return user;
    });
    const url = otpauthUrl(secret, { issuer, label: email });
    return { secret, otpauthUrl: url, qrSvg: renderSVG(url), recoveryCodes };
  }

  /** The first right code puts the secret in force. */
  async confirm(operation: Operation, code: string): Promise<void> {
    const before = await this.users.me(operation);
    const key = { tenantId: before.tenantId, userId: before.id };
    const stored = await operation.em.findOne(TotpSecret, key);
    if (!stored) throw new ApiError('CONFLICT', 'TOTP was not enabled', { reason: 'TOTP_NOT_ENABLED' });
    await this.useCode(operation, before, code, { recovery: false });
    await operation.write(async (write) => {
      const user = await this.lock(operation, write);
      // Another secret may have been made since the code was checked against this one.
      const { sealedSecret } = stored;
      const isSame = (await write.em.count(TotpSecret, { ...key, sealedSecret })) === 1;
      if (!isSame) throw invalid('input.code', wrongCode);
      if (!user.totpConfirmedAt) this.mail.secondFactorOn(write, user);
      user.totpConfirmedAt ??= operation.clock.now();
      write.audit({ target: user.id, changes: { totpEnabled: true } });
    });
  }

  /** Needs the password and a code: a stolen session alone must not take the second factor away. */
  async disable(operation: Operation, input: DisableTotpInput): Promise<void> {
    const before = await this.users.me(operation);
    await checkCurrentPassword(operation, before, input.currentPassword);
    if (!before.totpConfirmedAt) throw new ApiError('CONFLICT', 'TOTP is not on', { reason: 'TOTP_OFF' });
    await this.useCode(operation, before, input.code, { recovery: true });
    await operation.write(async (write) => {
      const user = await this.lock(operation, write);
      // Another change came first: neither what was typed nor what it was checked against is in force any more.
      requireSamePassword(user, before);
      if (user.totpConfirmedAt?.getTime() !== before.totpConfirmedAt?.getTime())
        throw invalid('input.code', wrongCode);
      await switchOff(write, user, operation.clock.now());
      this.mail.secondFactorOff(write, user);
      write.audit({ target: user.id, changes: { totpEnabled: false } });
    });
  }

  /** To someone who is signed in a wrong code is a wrong field, as a wrong password is. */
  private async useCode(operation: Operation, user: User, code: string, options: { recovery: boolean }) {
    try {
      await this.codes.use(operation, user, code, options);
    } catch (error) {
      if (error instanceof ApiError && error.extensions.reason === 'TOTP_CODE_INVALID')
        throw invalid('input.code', wrongCode);
      throw error;
    }
  }

  private async lock(operation: Operation, write: Write): Promise<User> {
    const { tenantId, userId: id } = operation.requireUser();
    return write.em.findOneOrFail(User, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }
}

const wrongCode = 'Code is wrong or was used';
