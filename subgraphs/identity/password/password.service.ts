import { LockMode } from '@mikro-orm/core';

import { enqueue } from '#platform/jobs/enqueue.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { AccountReclaimed } from '#schema/events.js';

import { ApiKey } from '../api-key/api-key.entity.js';
import type { KeysOfMember } from '../api-key/keys-of-member.service.js';
import type { AccountMail } from '../email/account-mail.js';
import { MailToken } from '../email/mail-token.entity.js';
import { useMailToken } from '../email/mail-tokens.js';
import { endInvitationsBeyondRole } from '../member/invitations-of-member.service.js';
import { setRole } from '../member/set-role.service.js';
import { familiarSubject, nowhere } from '../session/credentials.js';
import { endSessions, type RevocationReason } from '../session/end-sessions.service.js';
import { LoginChallenge } from '../session/login-challenge.entity.js';
import { networkOf } from '../throttle/network.js';
import { admit, forgive } from '../throttle/throttle.js';
import { switchOff } from '../totp/switch-off.service.js';
import { normalEmail } from '../user/email-address.js';
import { User, UserRole } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';
import { checkCurrentPassword, requireSamePassword } from './current-password.js';
import { offerReset } from './offer-reset.js';
import { hashPassword } from './password-hash.js';
import {
  changePasswordRules,
  resetPasswordRules,
  type ChangePasswordInput,
  type ResetPasswordInput,
} from './password.inputs.js';

/** Changes of passwords, by those who know the old one and by those who read the account's mail. */
export class PasswordService {
  constructor(
    private readonly users: UserService,
    private readonly mail: AccountMail,
    private readonly keys: KeysOfMember,
  ) {}

  /** The session that asks goes on; all others end. */
  async change(operation: Operation, input: ChangePasswordInput): Promise<User> {
    const { currentPassword, newPassword } = validate(changePasswordRules, input);
    const { tenantId, userId: id, sessionId } = operation.requireUser();
    const before = await this.users.me(operation);
    await checkCurrentPassword(operation, before, currentPassword);
    const passwordHash = await hashPassword(newPassword);
    return operation.write(async (write) => {
      const found = await write.em.findOneOrFail(
        User,
        { tenantId, id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      // Another change came first: the password that was checked is not the current one any more.
      requireSamePassword(found, before);
      write.audit({ target: id });
      await this.set(operation, write, found, passwordHash, 'PASSWORD_CHANGED', sessionId);
      return found;
    });
  }

  /**
   * Answers the same, after the same work, whether or not there is an account: the job that finds out is enqueued for
   * both. A few mails an hour per address at most, so that nobody's mailbox can be filled.
   */
  async requestReset(operation: Operation, name: string): Promise<void> {
    const email = normalEmail(name);
    const attempt = await admit(operation, 'mail', email);
    await attempt.settle('FAILED');
    if (attempt.blockedUntil) return;
    const { database, request } = operation;
    const [found = nowhere] = await database
      .anonymous()
      .execute<(typeof nowhere)[]>('select * from identity.find_user_by_email(?)', [email]);
    const wanted = { tenantId: found.tenant_id, userId: found.id };
    await database
      .forTenant(wanted.tenantId)
      .transactional(async (em) =>
        enqueue(em, database.area, offerReset, wanted, { causedBy: request.requestId }),
      );
  }

  /**
   * All sessions end. The link came by mail, so the address is verified as well. Where nobody had proved it before, whoever
   * made the account may be a stranger, who is to be left with nothing by which to act in it or to keep its owner out.
   */
  async reset(operation: Operation, input: ResetPasswordInput): Promise<void> {
    const { token, newPassword } = validate(resetPasswordRules, input);
    const passwordHash = await hashPassword(newPassword);
    const user = await useMailToken(operation, token, 'PASSWORD_RESET', async (write, found) => {
      const now = operation.clock.now();
      const isProven = found.emailVerifiedAt !== null;
      found.emailVerifiedAt ??= now;
      // An administrator's account was made by whoever runs the panel.
      if (!isProven && !found.isAdministrator) {
        if (found.totpConfirmedAt) this.mail.secondFactorOff(write, found);
        await switchOff(write, found, now);
        await this.keys.endAll(write, found, now);
        await endInvitationsBeyondRole(write, found, null, now);
        await this.lessenOthers(write, found, now);
        await tellReclaimed(write, found);
      }
      await this.set(operation, write, found, passwordHash, 'PASSWORD_RESET');
      return found;
    });
    // Whoever reads the mail is the owner: failures of others must not keep the owner out.
    await forgive(operation, 'account', user.email);
    const network = networkOf(operation.request.clientAddress);
    await forgive(operation, 'familiar', familiarSubject(user.email, network));
  }

  /** All who are in by a stranger's invitation, or by that of one of them; their owner gives them back what they should have. */
  private async lessenOthers(write: Write, owner: User, now: Date): Promise<void> {
    const { tenantId, id } = owner;
    const role = UserRole.VIEWER;
    const others = await write.em.find(
      User,
      { tenantId, id: { $ne: id }, role: { $ne: role } },
      { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
    );
    this.mail.reclaimed(write, owner, others);
    for (const other of others) {
      write.publish(lessened(other, role));
      await setRole(write, this.keys, other, { role, now });
    }
  }

  private async set(
    operation: Operation,
    write: Write,
    user: User,
    passwordHash: string,
    reason: RevocationReason,
    except?: string,
  ): Promise<void> {
    const now = operation.clock.now();
    const owner = { tenantId: user.tenantId, userId: user.id };
    user.passwordHash = passwordHash;
    user.updatedAt = now;
    await endSessions(write, owner, { now, reason, ...(except === undefined ? {} : { except }) });
    await write.em.nativeUpdate(LoginChallenge, { ...owner, usedAt: null }, { usedAt: now });
    // A link that was mailed before must not undo the change: it may be in a mailbox that others read. Nor may a change
    // of the address be completed that was begun by whoever knew the password until now.
    const links = { ...owner, purpose: { $in: ['PASSWORD_RESET', 'EMAIL_CHANGE'] as const }, usedAt: null };
    await write.em.nativeUpdate(MailToken, links, { usedAt: now });
    this.mail.passwordChanged(write, user);
  }
}

/** What the trail has of a user whose role is about to be taken: nothing else keeps which one it was. */
function lessened({ tenantId, id, role: from }: User, to: UserRole): OutboxEvent {
  return auditEvent(
    { name: 'changeMemberRole', args: {} },
    {
      tenantId,
      target: id,
      actor: 'svc:identity',
      actorKind: 'service',
      clientAddress: '',
      changes: { reason: 'ADDRESS_PROVED', role: { from, to } },
    },
  );
}

/** Other areas end what was set up until now, whoever did: enrollment tokens, channels, repositories. */
async function tellReclaimed({ em, publish }: Write, { tenantId, id }: User): Promise<void> {
  const users = await em.find(User, { tenantId });
  const keys = await em.find(ApiKey, { tenantId });
  publish({
    topic: 'identity.account.reclaimed',
    tenantId,
    entityId: id,
    payload: { makers: [...users, ...keys].map((maker) => maker.id) } satisfies AccountReclaimed,
  });
}
