import { requireListed } from '#platform/auth/permissions.js';
import type { Operation } from '#platform/subgraph/operation.js';

/**
 * For what has governance send commands later, by its own hand: whoever sets it going by a key whose list goes without
 * commands must not have them sent. FORBIDDEN (PERMISSION_MISSING).
 */
export function requireMayOrder(operation: Operation): void {
  requireListed(operation.requireViewer(), 'fleet.command.send');
}
