import type { Write } from '#platform/subgraph/operation.js';

import { leftBehind, liveIds } from '../server/live-servers.service.js';
import { lockServers, move } from '../server/move.service.js';
import { ServerPhase } from '../server/server.phases.js';
import { advanceKind } from './kinds.js';

/**
 * Ends the servers of an account that is let go of with them: the provider is asked for nothing any more, so they cost
 * nothing from now on, and the steps that follow take their nodes out of the fleet.
 */
export async function leaveServers(
  { em, publish, enqueue }: Pick<Write, 'em' | 'publish' | 'enqueue'>,
  { tenantId, provider, now }: { tenantId: string; provider: string; now: Date },
): Promise<void> {
  const ids = await liveIds(em, tenantId, provider);
  for (const server of await lockServers(em, tenantId, ids)) {
    move({ publish }, server, ServerPhase.DELETING, now, {
      operationIds: [],
      drainUntil: null,
      reason: leftBehind,
      message: 'Its account was disconnected: what the provider has of it is left there',
      billedTo: server.billedFrom && (server.billedTo ?? now),
      dueAt: now,
    });
    enqueue(advanceKind, { tenantId, serverId: server.id, dueAt: now.toISOString() });
  }
}
