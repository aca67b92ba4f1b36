import type { RevocationSource } from '#platform/auth/revocation-feed.job.js';
import type { Database } from '#platform/database/database.js';
import type { OutboxTail } from '#platform/outbox/tail.js';
import type { SessionRevoked } from '#schema/events.js';
import { revokedSessionsSince } from '#subgraphs/identity/session/revoked-sessions.job.js';

/** Sessions that ended, as every process that verifies user tokens has to know them. */
export function sessionRevocations(database: Database, tail: OutboxTail): RevocationSource {
  return {
    database,
    tail,
    topics: ['identity.session.revoked'],
    fromEvent: ({ payload }) => {
      const { sessionId } = payload as unknown as SessionRevoked;
      return { kind: 'session', id: sessionId, isRevoked: true };
    },
    since: async (em, since) => {
      const sessions = await revokedSessionsSince(em, since);
      return sessions.map(({ sessionId }) => ({ kind: 'session', id: sessionId, isRevoked: true }));
    },
  };
}
