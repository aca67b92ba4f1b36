import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { newId } from '#platform/ids.js';
import type { ConsumerStep } from '#platform/outbox/consumer.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';

import type { InvitationMail } from '../member/invitation-mail.js';
import { invitationMs } from '../member/invitation.service.js';

export interface OwnerToInvite {
  /** The client, and the provider that invites in its name. */
  tenantId: string;
  providerId: string;
  tenantName: string;
  email: string;
  invitedBy: string;
}

/** Invites the first owner of a client. */
export class OwnerInvitations {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly mail: InvitationMail,
  ) {}

  /**
   * Mails a link, and ends those that went to others before: it is the provider that is trusted to name the owner, and
   * only until there is a user. From then on only the client's owners invite owners; false and nothing is done.
   */
  async invite(step: Pick<ConsumerStep, 'em' | 'now' | 'enqueue'>, owner: OwnerToInvite): Promise<boolean> {
    const { em, now } = step;
    const { tenantId, email } = owner;
    // Whoever accepts an invitation takes this lock too: either they are seen here, or their link has ended for them.
    await this.entitlements.lock(em, tenantId, 'users');
    const users = await em.execute<unknown[]>('select 1 from identity."user" where tenant_id = ? limit 1', [
      tenantId,
    ]);
    if (users.length > 0) return false;
    await em.execute(
      `update identity.invitation set revoked_at = ?
       where tenant_id = ? and accepted_at is null and revoked_at is null and lower(email) <> lower(?)`,
      [now.toISOString(), tenantId, email],
    );
    const token = randomToken();
    await em.execute(
      `insert into identity.invitation (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)
       values (?, ?, ?, 'OWNER', ?, ?, ?, ?)
       on conflict (tenant_id, lower(email)) where accepted_at is null and revoked_at is null
       do update set role = 'OWNER', token_hash = excluded.token_hash, invited_by = excluded.invited_by,
         expires_at = excluded.expires_at`,
      [
        tenantId,
        newId('invitation'),
        email,
        sha256(token),
        owner.invitedBy,
        now.toISOString(),
        new Date(now.getTime() + invitationMs).toISOString(),
      ],
    );
    this.mail.send(step, owner.providerId, { to: email, tenantName: owner.tenantName, token });
    return true;
  }
}
