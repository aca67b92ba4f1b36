import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { tell, type RevocationReason } from './end-sessions.service.js';
import { refreshIdleMs } from './session-times.js';
import { Session } from './session.entity.js';

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

/** Marks a locked session as ended and tells everyone who holds access tokens of it. */
export function endSession(write: Write, session: Session, now: Date, reason: RevocationReason): void {
  session.revokedAt = now;
  tell(write, session, reason);
}
