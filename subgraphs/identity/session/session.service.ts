import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import type { SessionRevoked } from '#schema/events.js';

import { refreshIdleMs } from './session-tokens.js';
import { Session } from './session.entity.js';

export type RevocationReason = SessionRevoked['reason'];

/** The sessions of the signed-in user. */
export class SessionService {
  /** Those that live, oldest first. */
  async list(operation: Operation, args: PageArgs): Promise<Page<Session>> {
    const window = pageWindow(args);
    const { tenantId, userId } = operation.requireUser();
    const now = operation.clock.now();
    const live = {
      tenantId,
      userId,
      revokedAt: null,
      expiresAt: { $gt: now },
      lastUsedAt: { $gt: new Date(now.getTime() - refreshIdleMs) },
    };
    const rows = await operation.em.find(
      Session,
      { ...live, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Session, live));
  }

  /** Ends one of the user's own sessions. Ending it again changes nothing. */
  async revoke(operation: Operation, id: string, reason: RevocationReason): Promise<Session> {
    const { tenantId, userId } = operation.requireUser();
    return operation.write(async (write) => {
      const session = await write.em.findOne(
        Session,
        { tenantId, userId, id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!session) throw notFound('Session');
      write.audit({ target: id });
      if (!session.revokedAt) endSession(write, session, operation.clock.now(), reason);
      return session;
    });
  }
}

/** Ends a user's sessions, all or all but one, in the transaction of what caused it. */
export async function endSessions(
  write: Write,
  owner: { tenantId: string; userId: string },
  options: { now: Date; reason: RevocationReason; except?: string },
): Promise<void> {
  const sessions = await write.em.find(
    Session,
    {
      tenantId: owner.tenantId,
      userId: owner.userId,
      revokedAt: null,
      ...(options.except === undefined ? {} : { id: { $ne: options.except } }),
    },
    { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
  );
  for (const session of sessions) endSession(write, session, options.now, options.reason);
}

/** Marks a locked session as ended and tells everyone who holds access tokens of it. */
export function endSession(write: Write, session: Session, now: Date, reason: RevocationReason): void {
  session.revokedAt = now;
  write.publish({
    topic: 'identity.session.revoked',
    tenantId: session.tenantId,
    entityId: session.id,
    payload: { sessionId: session.id, userId: session.userId, reason } satisfies SessionRevoked,
  });
}
