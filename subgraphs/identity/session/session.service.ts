import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { endSessions, tell, type RevocationReason } from './end-sessions.service.js';
import { refreshIdleMs } from './session-times.js';
import { Session } from './session.entity.js';

/** The sessions of the signed-in user. */
export class SessionService {
  /** Those that live, oldest first. */
  async list(operation: Operation, args: PageArgs): Promise<Page<Session>> {
    const window = pageWindow(args);
    const { tenantId, userId } = operation.requireUser();
    const live = living({ tenantId, userId }, operation.clock.now());
    const rows = await operation.em.find(
      Session,
      { ...live, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Session, live));
  }

  /** Ends all of the user's sessions but the one that asks, and answers with that. */
  async revokeOthers(operation: Operation): Promise<Session> {
    const { tenantId, userId, sessionId } = operation.requireUser();
    const user = { tenantId, userId };
    return operation.write(async (write) => {
      const session = await write.em.findOne(Session, { ...user, id: sessionId });
      if (!session) throw notFound('Session');
      write.audit({ target: userId });
      const now = operation.clock.now();
      await endSessions(write, user, { now, reason: 'REVOKED', except: sessionId });
      return session;
    });
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

/** Which of a user's sessions live. */
export function living(user: { tenantId: string; userId: string }, now: Date) {
  const lastUsedAt = { $gt: new Date(now.getTime() - refreshIdleMs) };
  return { ...user, revokedAt: null, expiresAt: { $gt: now }, lastUsedAt };
}

/** Marks a locked session as ended and tells everyone who holds access tokens of it. */
export function endSession(write: Write, session: Session, now: Date, reason: RevocationReason): void {
  session.revokedAt = now;
  tell(write, session, reason);
}
