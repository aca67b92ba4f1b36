import { LockMode } from '@mikro-orm/core';
import { renderSVG } from 'uqr';

import type { SqlEntityManager } from '#platform/database/database.js';
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
import { recoveryCodesLeft, type TotpCodes } from './totp-codes.js';
import { RecoveryCode, TotpSecret } from './totp.entity.js';
import type {
  DisableTotpInput,
  EnableTotpInput,
  EnableTotpPayload,
  RegenerateRecoveryCodesInput,
} from './totp.inputs.js';

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
      keepRecoveryCodes(write.em, key, recoveryCodes);
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
    await this.withBoth(operation, input, { recovery: true }, async (write, user) => {
      await switchOff(write, user, operation.clock.now());
      this.mail.secondFactorOff(write, user);
      write.audit({ target: user.id, changes: { totpEnabled: false } });
    });
  }

  /**
   * Ten new recovery codes, in the place of those from before. Needs the password and a one-time code: whoever has lost the
   * authenticator needs another secret as well, and so switches off and on.
   */
  async regenerateRecoveryCodes(
    operation: Operation,
    input: RegenerateRecoveryCodesInput,
  ): Promise<string[]> {
    const recoveryCodes = makeRecoveryCodes();
    await this.withBoth(operation, input, { recovery: false }, async (write, user) => {
      const key = { tenantId: user.tenantId, userId: user.id };
      await write.em.nativeDelete(RecoveryCode, key);
      keepRecoveryCodes(write.em, key, recoveryCodes);
      this.mail.recoveryCodesReplaced(write, user);
      write.audit({ target: user.id });
    });
    return recoveryCodes;
  }

  /** How many recovery codes the user has left. Users see their own only. */
  async recoveryCodesLeft({ viewer, em }: Operation, user: User): Promise<number | null> {
    const isOwn = viewer?.kind === 'user' && viewer.userId === user.id;
    return isOwn && user.totpConfirmedAt ? recoveryCodesLeft(em, user) : null;
  }

  /**
   * Has the viewer prove who they are, by the password and where codes are on by one of those. `requireStillProven` asks
   * under a lock whether it counts.
   */
  async prove(
    operation: Operation,
    { currentPassword, code }: { currentPassword: string; code?: string | null },
    options: { recovery: boolean } = { recovery: true },
  ): Promise<User> {
    const before = await this.users.me(operation);
    await checkCurrentPassword(operation, before, currentPassword);
    if (!before.totpConfirmedAt) return before;
    if (code == null) throw invalid('input.code', 'Code is required');
    await this.useCode(operation, before, code, options);
    return before;
  }

  /** Does what takes a password and a code. */
  private async withBoth(
    operation: Operation,
    input: DisableTotpInput | RegenerateRecoveryCodesInput,
    options: { recovery: boolean },
    work: (write: Write, user: User) => Promise<void>,
  ): Promise<void> {
    const before = await this.prove(operation, input, options);
    if (!before.totpConfirmedAt) throw new ApiError('CONFLICT', 'TOTP is not on', { reason: 'TOTP_OFF' });
    await operation.write(async (write) => {
      const user = await this.lock(operation, write);
      requireStillProven(user, before);
      await work(write, user);
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

/** Another change came first: neither what was typed nor what it was checked against is in force any more. */
export function requireStillProven(locked: User, proven: User): void {
  requireSamePassword(locked, proven);
  if (locked.totpConfirmedAt?.getTime() !== proven.totpConfirmedAt?.getTime())
    throw invalid('input.code', wrongCode);
}

function keepRecoveryCodes(
  em: SqlEntityManager,
  key: { tenantId: string; userId: string },
  codes: readonly string[],
): void {
  for (const code of codes) {
    em.persist(Object.assign(new RecoveryCode(), { ...key, codeHash: recoveryCodeHash(code), usedAt: null }));
  }
}

const wrongCode = 'Code is wrong or was used';
