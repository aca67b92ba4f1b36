import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';

import { hashPassword } from '../password/password-hash.js';
import type { AuthPayload } from '../session/auth-payload.js';
import type { SessionTokens } from '../session/session-tokens.js';
import { Tenant } from '../tenant/tenant.entity.js';
import { countingInvitation } from '../throttle/throttle.js';
import { usersCounted } from '../usage/seats.service.js';
import { emailTakenInstead } from '../user/email-taken.js';
import { requireStanding } from '../user/standing.service.js';
import { User } from '../user/user.entity.js';
import type { UserService } from '../user/user.service.js';
import type { InvitationMail } from './invitation-mail.js';
import { Invitation } from './invitation.entity.js';
import {
  acceptInvitationRules,
  inviteMemberRules,
  type AcceptInvitationInput,
  type InviteMemberInput,
} from './member.inputs.js';
import { requireOwnerFor, requireProofForOwner } from './owners.js';

export const invitationMs = 7 * 24 * 60 * 60 * 1000;
const open = { acceptedAt: null, revokedAt: null };

/** Invites people into tenants, and lets them in. */
export class InvitationService {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly users: UserService,
    private readonly tokens: SessionTokens,
    private readonly mail: InvitationMail,
  ) {}

  /** Open and ended ones, oldest first. */
  async page(operation: Operation, args: PageArgs): Promise<Page<Invitation>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      Invitation,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Invitation, { tenantId }));
  }

  /**
   * Mails a link. An address that is invited already gets a new one, and the one before it ends. A few an hour per address
   * at most, so that nobody's mailbox can be filled.
   */
  async invite(operation: Operation, input: InviteMemberInput): Promise<Invitation> {
    const viewer = operation.requireUser();
    const { tenantId, userId, role: ownRole } = viewer;
    const { email, role, currentPassword } = validate(inviteMemberRules, input);
    requireOwnerFor(ownRole, role);
    await requireProofForOwner(operation, this.users, { concerned: [role], currentPassword });
    const token = randomToken();
    const make = async () =>
      operation.write(async (write) => {
        const { em, audit } = write;
        const now = operation.clock.now();
        await requireStanding(em, viewer);
        await this.entitlements.requireRoom(em, tenantId, 'users', () =>
          seatsTaken(em, tenantId, email, now),
        );
        const member = await em.count(User, { tenantId, email: caseless(email) });
        if (member > 0) {
          throw new ApiError('CONFLICT', 'They are a user of this organization', {
            reason: 'ALREADY_MEMBER',
          });
        }
        const known = await em.findOne(
          Invitation,
          { tenantId, email: caseless(email), ...open },
          { lockMode: LockMode.PESSIMISTIC_WRITE },
        );
        // An admin could take an owner's invitation away by giving it another role.
        if (known) requireOwnerFor(ownRole, known.role);
        const made =
          known ??
          Object.assign(new Invitation(), {
            tenantId,
            id: newId('invitation'),
            email,
            ...open,
            createdAt: now,
          });
        Object.assign(made, {
          role,
          tokenHash: sha256(token),
          invitedBy: userId,
          expiresAt: new Date(now.getTime() + invitationMs),
        });
        await em.persist(made).flush();
        write.publish(await usersCounted(em, tenantId, now));
        audit({ target: made.id, changes: { email, role } });
        const tenant = await em.findOneOrFail(Tenant, { id: tenantId });
        this.mail.send(write, tenantId, { to: email, tenantName: tenant.name, token });
        return made;
      });
    return countingInvitation(operation, email, make);
  }

  /** Ends a link that was mailed. Taking it back again changes nothing. */
  async revoke(operation: Operation, id: string): Promise<Invitation> {
    const { tenantId, role: ownRole } = operation.requireUser();
    return operation.write(async ({ em, audit, publish }) => {
      const now = operation.clock.now();
      const lockMode = LockMode.PESSIMISTIC_WRITE;
      const invitation = await em.findOne(Invitation, { tenantId, id }, { lockMode });
      if (!invitation) throw notFound('Invitation');
      requireOwnerFor(ownRole, invitation.role);
      if (invitation.acceptedAt) {
        throw new ApiError('CONFLICT', 'The invitation was accepted', { reason: 'INVITATION_ACCEPTED' });
      }
      audit({ target: id });
      if (invitation.revokedAt) return invitation;
      invitation.revokedAt = now;
      await em.flush();
      publish(await usersCounted(em, tenantId, now));
      return invitation;
    });
  }

  /** Makes the account of an invitation, signed in. The link that was mailed proves the address. */
  async accept(operation: Operation, input: AcceptInvitationInput): Promise<AuthPayload> {
    const { token, name, password } = validate(acceptInvitationRules, input);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; id: string }[]>('select * from identity.find_invitation(?)', [
        sha256(token),
      ]);
    if (!found) throw refused();
    const tenantId = found.tenant_id;
    const passwordHash = await hashPassword(password);
    const now = operation.clock.now();
    return emailTakenInstead(() =>
      operation.write(async (write) => {
        const { em, audit } = write;
        const lockMode = LockMode.PESSIMISTIC_WRITE;
        await this.entitlements.requireRoom(em, tenantId, 'users', () => em.count(User, { tenantId }));
        const invitation = await em.findOne(
          Invitation,
          // The hash as well: the link may have been renewed since it was looked up.
          { tenantId, id: found.id, tokenHash: sha256(token), ...open, expiresAt: { $gt: now } },
          { lockMode },
        );
        if (!invitation) throw refused();
        invitation.acceptedAt = now;
        const user = Object.assign(new User(), {
          tenantId,
          id: newId('user'),
          email: invitation.email,
          name,
          role: invitation.role,
          passwordHash,
          isAdministrator: false,
          emailVerifiedAt: now,
          totpConfirmedAt: null,
          createdAt: now,
          updatedAt: now,
        });
        await em.persist(user).flush();
        audit({
          target: user.id,
          actor: user.id,
          actorKind: 'user',
          changes: { invitation: invitation.id, role: invitation.role },
        });
        return this.tokens.open(operation, write, user);
      }, tenantId),
    );
  }
}

/** Users, and invitations that may yet become users; not the one that is about to be renewed. */
async function seatsTaken(em: SqlEntityManager, tenantId: string, email: string, now: Date): Promise<number> {
  const users = await em.count(User, { tenantId });
  const invited = await em.count(Invitation, {
    tenantId,
    ...open,
    expiresAt: { $gt: now },
    $not: { email: caseless(email) },
  });
  return users + invited;
}

function caseless(email: string): { $ilike: string } {
  return { $ilike: email.replace(/[\\%_]/g, String.raw`\$&`) };
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The invitation is not valid, has ended, or was used before', {
    reason: 'INVITATION_INVALID',
  });
}
