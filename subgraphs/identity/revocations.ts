import type { AreaFacts } from '#platform/area.js';
import type { Revocation, RevocationSource } from '#platform/auth/revocation-feed.job.js';
import type { ApiKeyRevoked, DelegationChanged, SessionRevoked, TenantSuspended } from '#schema/events.js';

import { revokedApiKeysSince } from './api-key/api-key.job.js';
import { endedDelegationsSince, limitedDelegationsSince } from './delegation/delegation.job.js';
import { removedSessionsSince } from './member/member.job.js';
import { revokedSessionsSince } from './session/revoked-sessions.job.js';
import { suspensionsSince } from './tenant/suspension.job.js';

/** What every process that verifies user tokens has to know: who may act no more. */
export function identityRevocations(facts: AreaFacts): readonly RevocationSource[] {
  return [sessions(facts), suspensions(facts), apiKeys(facts), delegations(facts)];
}

/** Sessions that ended. */
function sessions(facts: AreaFacts): RevocationSource {
  return {
    ...facts,
    topics: ['identity.session.revoked'],
    fromEvent: ({ payload }) => {
      const { sessionId } = payload as unknown as SessionRevoked;
      return { kind: 'session', id: sessionId, isRevoked: true };
    },
    since: async (reader, since) => {
      const [revoked, removed] = await Promise.all([
        revokedSessionsSince(reader, since),
        removedSessionsSince(reader, since),
      ]);
      return [...revoked.map(({ sessionId }) => sessionId), ...removed.map(({ id }) => id)].map((id) => ({
        kind: 'session',
        id,
        isRevoked: true,
      }));
    },
  };
}

/** Tenants in which nobody may act. */
function suspensions(facts: AreaFacts): RevocationSource {
  return {
    ...facts,
    topics: ['identity.tenant.suspended', 'identity.tenant.restored'],
    outlastsTokens: true,
    fromEvent: ({ topic, payload }) => {
      const { tenantId } = payload as unknown as TenantSuspended;
      return { kind: 'tenant', id: tenantId, isRevoked: topic === 'identity.tenant.suspended' };
    },
    since: async (reader, since) => {
      const tenants = await suspensionsSince(reader, since);
      return tenants.map(({ id, isSuspended }) => ({ kind: 'tenant', id, isRevoked: isSuspended }));
    },
  };
}

/** API keys that no token is given for any more, while those that were given live on for a minute. */
function apiKeys(facts: AreaFacts): RevocationSource {
  return {
    ...facts,
    topics: ['identity.api-key.revoked'],
    fromEvent: ({ payload }) => {
      const { keyId } = payload as unknown as ApiKeyRevoked;
      return { kind: 'api-key', id: keyId, isRevoked: true };
    },
    since: async (reader, since) => {
      const keys = await revokedApiKeysSince(reader, since);
      return keys.map(({ id }) => ({ kind: 'api-key', id, isRevoked: true }));
    },
  };
}

/** Grants of clients under which nobody may act any more, or only those that are named. */
function delegations(facts: AreaFacts): RevocationSource {
  return {
    ...facts,
    topics: ['identity.delegation.ended', 'identity.delegation.limited'],
    fromEvent: ({ topic, payload }) => {
      const { delegationId: id, userIds } = payload as unknown as DelegationChanged;
      return topic === 'identity.delegation.ended' ? endedFor(id) : endedFor(id, userIds);
    },
    since: async (reader, since) => {
      const [ended, limited] = await Promise.all([
        endedDelegationsSince(reader, since),
        limitedDelegationsSince(reader, since),
      ]);
      return [
        ...ended.map(({ id }) => endedFor(id)),
        ...limited.map(({ id, userIds }) => endedFor(id, userIds)),
      ];
    },
  };
}

function endedFor(id: string, exceptFor?: readonly string[] | null): Revocation {
  return { kind: 'grant', id, isRevoked: true, ...(exceptFor ? { exceptFor } : {}) };
}
