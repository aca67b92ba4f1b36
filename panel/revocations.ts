import type { RevocationSource } from '#platform/auth/revocation-feed.job.js';
import type { Database } from '#platform/database/database.js';
import type { OutboxTail } from '#platform/outbox/tail.js';
import type {
  ApiKeyRevoked,
  CredentialRevoked,
  DelegationChanged,
  SessionRevoked,
  TenantSuspended,
} from '#schema/events.js';
import {
  revocationMemoryMs,
  revokedCredentialsSince,
} from '#subgraphs/fleet/lifecycle/revoked-credentials.job.js';
import { revokedApiKeysSince } from '#subgraphs/identity/api-key/api-key.job.js';
import { endedDelegationsSince } from '#subgraphs/identity/delegation/delegation.job.js';
import { removedSessionsSince } from '#subgraphs/identity/member/member.job.js';
import { revokedSessionsSince } from '#subgraphs/identity/session/revoked-sessions.job.js';
import { suspensionsSince } from '#subgraphs/identity/tenant/suspension.job.js';

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
      const removed = await removedSessionsSince(em, since);
      return [...sessions.map(({ sessionId }) => sessionId), ...removed.map(({ id }) => id)].map((id) => ({
        kind: 'session',
        id,
        isRevoked: true,
      }));
    },
  };
}

/** Tenants in which nobody may act. */
export function suspensions(database: Database, tail: OutboxTail): RevocationSource {
  return {
    database,
    tail,
    topics: ['identity.tenant.suspended', 'identity.tenant.restored'],
    outlastsTokens: true,
    fromEvent: ({ topic, payload }) => {
      const { tenantId } = payload as unknown as TenantSuspended;
      return { kind: 'tenant', id: tenantId, isRevoked: topic === 'identity.tenant.suspended' };
    },
    since: async (em, since) => {
      const tenants = await suspensionsSince(em, since);
      return tenants.map(({ id, isSuspended }) => ({ kind: 'tenant', id, isRevoked: isSuspended }));
    },
  };
}

/** Credentials of nodes that were exchanged for newer ones, or whose instance left the fleet. */
export function credentialRevocations(database: Database, tail: OutboxTail): RevocationSource {
  let isFirst = true;
  return {
    database,
    tail,
    topics: ['fleet.credential.revoked'],
    fromEvent: ({ payload }) => {
      const { instanceId, belowGeneration } = payload as unknown as CredentialRevoked;
      return { kind: 'node', id: instanceId, belowGeneration, isRevoked: true };
    },
    since: async (em, since) => {
      // A node's credential outlives a user's token by far: a process that starts has to know of all that may be left.
      const from = isFirst ? new Date(since.getTime() - revocationMemoryMs) : since;
      const revoked = await revokedCredentialsSince(em, from);
      isFirst = false;
      return revoked.map(({ instanceId, belowGeneration }) => ({
        kind: 'node',
        id: instanceId,
        belowGeneration,
        isRevoked: true,
      }));
    },
  };
}

/** API keys that no token is given for any more, while those that were given live on for a minute. */
export function apiKeyRevocations(database: Database, tail: OutboxTail): RevocationSource {
  return {
    database,
    tail,
    topics: ['identity.api-key.revoked'],
    fromEvent: ({ payload }) => {
      const { keyId } = payload as unknown as ApiKeyRevoked;
      return { kind: 'api-key', id: keyId, isRevoked: true };
    },
    since: async (em, since) => {
      const keys = await revokedApiKeysSince(em, since);
      return keys.map(({ id }) => ({ kind: 'api-key', id, isRevoked: true }));
    },
  };
}

/** Grants of clients under which nobody may act any more. */
export function delegationRevocations(database: Database, tail: OutboxTail): RevocationSource {
  return {
    database,
    tail,
    topics: ['identity.delegation.ended'],
    fromEvent: ({ payload }) => {
      const { delegationId } = payload as unknown as DelegationChanged;
      return { kind: 'grant', id: delegationId, isRevoked: true };
    },
    since: async (em, since) => {
      const grants = await endedDelegationsSince(em, since);
      return grants.map(({ id }) => ({ kind: 'grant', id, isRevoked: true }));
    },
  };
}
