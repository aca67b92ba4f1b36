import type { AreaFacts } from '#platform/area.js';
import type { RevocationSource } from '#platform/auth/revocation-feed.job.js';
import type { CredentialRevoked } from '#schema/events.js';

import { revocationMemoryMs, revokedCredentialsSince } from './lifecycle/revoked-credentials.job.js';

/** Credentials of nodes that were exchanged for newer ones, or whose instance left the fleet. */
export function fleetRevocations(facts: AreaFacts): readonly RevocationSource[] {
  let isFirst = true;
  return [
    {
      ...facts,
      topics: ['fleet.credential.revoked'],
      fromEvent: ({ payload }) => {
        const { instanceId, belowGeneration } = payload as unknown as CredentialRevoked;
        return { kind: 'node', id: instanceId, belowGeneration, isRevoked: true };
      },
      since: async (reader, since) => {
        // A node's credential outlives a user's token by far: a process that starts has to know of all that may be left.
        const from = isFirst ? new Date(since.getTime() - revocationMemoryMs) : since;
        const revoked = await revokedCredentialsSince(reader, from);
        isFirst = false;
        return revoked.map(({ instanceId, belowGeneration }) => ({
          kind: 'node',
          id: instanceId,
          belowGeneration,
          isRevoked: true,
        }));
      },
    },
  ];
}
