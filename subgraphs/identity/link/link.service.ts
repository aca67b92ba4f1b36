import { sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { MailToken, type MailTokenPurpose } from '../email/mail-token.entity.js';
import { Invitation } from '../member/invitation.entity.js';
import { User } from '../user/user.entity.js';
import { LinkKind, LinkState } from './link-state.js';

/** Says of a one-time link whether it works, without using it up. Its token is as hard to guess here as where it is used. */
export class LinkService {
  async state(operation: Operation, kind: LinkKind, token: string): Promise<LinkState> {
    const hash = sha256(token);
    switch (kind) {
      case LinkKind.SETUP:
        return ofSetup(operation, hash);
      case LinkKind.INVITATION:
        return ofInvitation(operation, hash);
      case LinkKind.EMAIL_VERIFICATION:
      case LinkKind.EMAIL_CHANGE:
      case LinkKind.PASSWORD_RESET:
      case LinkKind.ORGANIZATION_RESTORE:
        return ofMailed(operation, kind, hash);
    }
  }
}

async function ofSetup(operation: Operation, hash: string): Promise<LinkState> {
  const [row] = await operation.database
    .anonymous()
    .execute<{ state: LinkState | null }[]>('select identity.setup_link_state(?, ?) as state', [
      hash,
      operation.clock.now().toISOString(),
    ]);
  return row?.state ?? LinkState.UNKNOWN;
}

async function ofInvitation(operation: Operation, tokenHash: string): Promise<LinkState> {
  const { database } = operation;
  const [found] = await database
    .anonymous()
    .execute<{ tenant_id: string; id: string }[]>('select * from identity.find_invitation(?)', [tokenHash]);
  if (!found) return LinkState.UNKNOWN;
  const tenantId = found.tenant_id;
  const invitation = await database
    .forTenant(tenantId)
    .findOne(Invitation, { tenantId, id: found.id, tokenHash });
  if (!invitation) return LinkState.UNKNOWN;
  if (invitation.acceptedAt || invitation.revokedAt) return LinkState.USED;
  return untilExpired(operation, invitation);
}

async function ofMailed(
  operation: Operation,
  purpose: MailTokenPurpose,
  tokenHash: string,
): Promise<LinkState> {
  const { database } = operation;
  const [found] = await database
    .anonymous()
    .execute<{ tenant_id: string; user_id: string }[]>('select * from identity.find_mail_token(?)', [
      tokenHash,
    ]);
  if (!found) return LinkState.UNKNOWN;
  const tenantId = found.tenant_id;
  const em = database.forTenant(tenantId);
  const mailed = await em.findOne(MailToken, { tenantId, tokenHash, purpose });
  if (!mailed) return LinkState.UNKNOWN;
  if (mailed.usedAt) return LinkState.USED;
  // A link to an address that the user has left since proves nothing.
  const proves = purpose === 'EMAIL_CHANGE' ? {} : { email: mailed.email };
  const user = await em.count(User, { tenantId, id: mailed.userId, ...proves });
  return user === 0 ? LinkState.USED : untilExpired(operation, mailed);
}

function untilExpired({ clock }: Operation, { expiresAt }: { expiresAt: Date }): LinkState {
  return expiresAt > clock.now() ? LinkState.OPEN : LinkState.EXPIRED;
}
