import { requireListed } from '#platform/auth/permissions.js';
import type { Operation } from '#platform/subgraph/operation.js';

/** How descriptions name it. */
export const unlisted = 'FORBIDDEN (PERMISSION_MISSING) for a key that does not list `fleet.command.send`';

/**
 * For what has governance send commands later, by its own hand: whoever sets it going by a key whose list goes without
 * commands must not have them sent. FORBIDDEN (PERMISSION_MISSING).
 */
export function requireMayOrder(operation: Operation): void {
  requireListed(operation.requireViewer(), 'fleet.command.send');
}
