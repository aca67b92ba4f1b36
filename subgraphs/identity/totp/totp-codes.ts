import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { JobBatch } from '#platform/jobs/enqueue.js';
import { appendToOutbox } from '#platform/outbox/outbox.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { AccountMail } from '../email/account-mail.js';
import { securityEvent } from '../security/security-event.js';
import { admitOrRefuse, making } from '../throttle/throttle.js';
import type { User } from '../user/user.entity.js';
import { stepOf } from './authenticator.js';
import { bareCode } from './bare-code.js';
import { recoveryCodeHash } from './recovery-codes.js';
import { RecoveryCode, TotpSecret } from './totp.entity.js';

/** Checks one-time codes and recovery codes, and uses them up. */
export class TotpCodes {
  constructor(
    private readonly keyring: Keyring,
    private readonly mail: AccountMail,
  ) {}

  /**
   * Uses a code up, in a transaction of its own: whatever becomes of the rest, it never works again. Of a recovery code
   * the user is told by mail. Throws UNAUTHENTICATED (TOTP_CODE_INVALID) for a wrong or used one and RATE_LIMITED after several of those.
   */
  async use(
    operation: Operation,
    user: User,
    code: string,
    options: { recovery: boolean } = { recovery: true },
  ) {
    const attempt = await admitOrRefuse(operation, 'code', user.id);
    const digits = bareCode(code);
    const isOneTime = /^\d{6}$/.test(digits);
    const { tenantId } = user;
    const { database, clock, request } = operation;
    const check = async (em: SqlEntityManager) => {
      const good = isOneTime
        ? await this.useStep(em, user, digits, clock.now())
        : options.recovery && (await useRecoveryCode(em, user, code, clock.now()));
      if (good && isOneTime) return true;
      const action = good ? 'authn_recovery_code_used' : 'authn_totp_fail';
      const event = securityEvent(operation, tenantId, { action, userId: user.id });
      await appendToOutbox(em, database.area, [event], { requestId: request.requestId, at: clock.now() });
      if (good) await this.tellOfUse(operation, em, user);
      return good;
    };
    const isGood = await making(attempt, 'FORGIVEN', () => database.forTenant(tenantId).transactional(check));
    if (isGood) return;
    throw new ApiError('UNAUTHENTICATED', 'The code is wrong or was used', { reason: 'TOTP_CODE_INVALID' });
  }

  private async tellOfUse({ database, request }: Operation, em: SqlEntityManager, user: User): Promise<void> {
    const jobs = new JobBatch();
    this.mail.recoveryCodeUsed(jobs, user, await recoveryCodesLeft(em, user));
    await jobs.send(em, database.area, { requestId: request.requestId, tenantId: user.tenantId });
  }

  /** The row lock of the update decides between two uses of one step: the second finds it taken. */
  private async useStep(em: SqlEntityManager, user: User, code: string, now: Date): Promise<boolean> {
    const key = { tenantId: user.tenantId, userId: user.id };
    const stored = await em.findOne(TotpSecret, key);
    if (!stored) return false;
    const step = stepOf(this.keyring.open(stored.sealedSecret, user.id), code, now);
    if (step === undefined) return false;
    const taken = await em.nativeUpdate(
      TotpSecret,
      { ...key, sealedSecret: stored.sealedSecret, lastUsedStep: { $lt: step } },
      { lastUsedStep: step },
    );
    return taken === 1;
  }
}

async function useRecoveryCode(em: SqlEntityManager, user: User, code: string, now: Date): Promise<boolean> {
  const key = { tenantId: user.tenantId, userId: user.id, codeHash: recoveryCodeHash(code), usedAt: null };
  return (await em.nativeUpdate(RecoveryCode, key, { usedAt: now })) === 1;
}

/** How many recovery codes of a user were not used yet. */
export async function recoveryCodesLeft(
  em: SqlEntityManager,
  { tenantId, id: userId }: User,
): Promise<number> {
  return em.count(RecoveryCode, { tenantId, userId, usedAt: null });
}
