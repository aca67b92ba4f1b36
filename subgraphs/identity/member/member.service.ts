import type { ObjectQuery } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';

import type { KeysOfMember } from '../api-key/keys-of-member.service.js';
import type { AccountMail } from '../email/account-mail.js';
import { endSessions } from '../session/end-sessions.service.js';
import { tokensLastMs } from '../session/session-times.js';
import { Session } from '../session/session.entity.js';
import { living } from '../session/session.service.js';
import { usersCounted } from '../usage/seats.service.js';
import { lockToManage } from '../user/standing.service.js';
import { User, UserRole } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';
import { endInvitationsBeyondRole } from './invitations-of-member.service.js';
import {
  memberFilterRules,
  type ChangeMemberRoleInput,
  type MemberFilter,
  type MembersArgs,
} from './member.inputs.js';
import { requireOwnerFor, requireProofForOwner } from './owners.js';
import { setRole, tellOfMember } from './set-role.service.js';

/** The users of a tenant, for those who manage them. */
export class MemberService {
  constructor(
    private readonly keys: KeysOfMember,
    private readonly users: UserService,
    private readonly mail: AccountMail,
  ) {}

  /** In the order in which they joined. */
  async page(operation: Operation, args: MembersArgs): Promise<Page<User>> {
    const window = pageWindow(args);
    const filter = validate(memberFilterRules, args.filter ?? {}, 'filter');
    const which: ObjectQuery<User> = { tenantId: operation.tenantId, $and: wanted(filter) };
    const rows = await operation.em.find(
      User,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(User, which));
  }

  /**
   * Gives a user another role and ends their sessions: the tokens that are out name the former one. Keys that they made
   * and that may do more than the role end too, and invitations that they could not send any more. Giving the role that
   * they have changes nothing.
   */
  async changeRole(operation: Operation, input: ChangeMemberRoleInput): Promise<User> {
    const { userId, role, currentPassword } = input;
    const viewer = operation.requireUser();
    const { role: ownRole } = viewer;
    const before = await this.member(operation, userId);
    requireOwnerFor(ownRole, before.role, role);
    const concerned = before.role === role ? [] : [before.role, role];
    await requireProofForOwner(operation, this.users, { concerned, currentPassword });
    return operation.write(async (write) => {
      const { user, owners } = await lockToManage(write.em, viewer, userId);
      requireOwnerFor(ownRole, user.role, role);
      requireSameRole(user, before);
      write.audit({ target: userId, changes: { role: { from: user.role, to: role } } });
      if (user.role === role) return user;
      if (user.role === UserRole.OWNER) refuseLastOwner(owners);
      const now = operation.clock.now();
      await setRole(write, this.keys, user, { role, now });
      return user;
    });
  }

  /**
   * Ends all sessions of another member. The mails need no bounds of their own: there is one only where somebody had
   * signed in since the last.
   */
  async endSessions(
    operation: Operation,
    userId: string,
    currentPassword: string | null | undefined,
  ): Promise<User> {
    const viewer = operation.requireUser();
    const { tenantId, role: ownRole } = viewer;
    if (userId === viewer.userId) {
      throw new ApiError('CONFLICT', 'End your own sessions with your account', { reason: 'OWN_ACCOUNT' });
    }
    const before = await this.member(operation, userId);
    requireOwnerFor(ownRole, before.role);
    const proof = { concerned: [before.role], currentPassword, path: 'currentPassword' };
    await requireProofForOwner(operation, this.users, proof);
    return operation.write(async (write) => {
      const { user } = await lockToManage(write.em, viewer, userId);
      requireOwnerFor(ownRole, user.role);
      requireSameRole(user, before);
      write.audit({ target: userId });
      const owner = { tenantId, userId };
      const now = operation.clock.now();
      if ((await write.em.count(Session, living(owner, now))) === 0) return user;
      await endSessions(write, owner, { now, reason: 'REVOKED' });
      this.mail.sessionsEnded(write, user);
      return user;
    });
  }

  /**
   * Deletes a user's account with everything of its own. Their tokens and keys are refused within seconds, and the
   * invitations that they sent end.
   */
  async remove(
    operation: Operation,
    userId: string,
    currentPassword: string | null | undefined,
  ): Promise<User> {
    const viewer = operation.requireUser();
    const { tenantId, role: ownRole } = viewer;
    const before = await this.member(operation, userId);
    requireOwnerFor(ownRole, before.role);
    const proof = { concerned: [before.role], currentPassword, path: 'currentPassword' };
    await requireProofForOwner(operation, this.users, proof);
    return operation.write(async (write) => {
      const { em } = write;
      const { user, owners } = await lockToManage(em, viewer, userId);
      requireOwnerFor(ownRole, user.role);
      requireSameRole(user, before);
      if (user.role === UserRole.OWNER) refuseLastOwner(owners);
      if (user.isAdministrator) {
        throw new ApiError('CONFLICT', 'A platform administrator can not be removed', {
          reason: 'ADMINISTRATOR',
        });
      }
      write.audit({ target: userId, changes: { role: user.role, removed: true } });
      const now = operation.clock.now();
      await endSessions(write, { tenantId, userId }, { now, reason: 'MEMBER_REMOVED' });
      await this.keys.endAll(write, user, now);
      await endInvitationsBeyondRole(write, user, null, now);
      tellOfMember(write, user, null);
      await em.flush();
      await em.execute(
        `insert into identity.removed_session (tenant_id, id, removed_at)
         select tenant_id, id, ? from identity.session where tenant_id = ? and user_id = ? and last_used_at > ?`,
        [now.toISOString(), tenantId, userId, new Date(now.getTime() - tokensLastMs).toISOString()],
      );
      await em.nativeDelete(User, { tenantId, id: userId });
      write.publish(await usersCounted(em, tenantId, now));
      em.clear();
      return user;
    });
  }

  private async member(operation: Operation, id: string): Promise<User> {
    const user = await operation.em.findOne(User, { tenantId: operation.tenantId, id });
    if (!user) throw notFound('User');
    return user;
  }
}

function wanted({ ids, search }: MemberFilter): ObjectQuery<User>[] {
  const like = { $ilike: `%${(search ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%` };
  return [
    ...(ids == null ? [] : [{ id: { $in: ids } }]),
    ...(search ? [{ $or: [{ name: like }, { email: like }] }] : []),
  ];
}

/** What was judged before the lock was judged of the role that the user had then. */
function requireSameRole(user: User, before: User): void {
  if (user.role === before.role) return;
  throw new ApiError('CONFLICT', 'Their role was changed meanwhile; look again', { reason: 'ROLE_CHANGED' });
}

function refuseLastOwner(owners: number): void {
  if (owners > 1) return;
  throw new ApiError('CONFLICT', 'An organization keeps at least one owner', { reason: 'LAST_OWNER' });
}
