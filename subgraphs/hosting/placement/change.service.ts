import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { PlacementChanged } from '#schema/events.js';

import { Placement } from './placement.entity.js';
import { placementMoves, type PlacementStatus } from './placement.status.js';

/** The row as it is now, locked until the transaction ends; null when there is none, or it was removed. */
export async function lockPlacement(
  em: SqlEntityManager,
  tenantId: string,
  id: string,
): Promise<Placement | null> {
  await em.execute('select 1 from hosting.placement where tenant_id = ? and id = ? for update', [
    tenantId,
    id,
  ]);
  return em.findOne(Placement, { tenantId, id, deletedAt: null }, { refresh: true });
}

/** Changes a placement and tells of it; throws where a status cannot follow the one before. */
export function changePlacement(
  publish: (event: OutboxEvent) => void,
  placement: Placement,
  change: Partial<Omit<Placement, 'tenantId' | 'id' | 'version'>>,
): void {
  const from = placement.status;
  const to = change.status ?? from;
  if (to !== from && !placementMoves[from].includes(to))
    throw new Error(`a placement that is ${from} cannot become ${to}`);
  Object.assign(placement, change);
  placement.version = String(Number(placement.version) + 1);
  publish(placementEvent(placement, from));
}

export function placementEvent(
  { tenantId, id, version, status, partition }: Placement,
  from: PlacementStatus | null,
): OutboxEvent {
  return {
    topic: 'hosting.placement.changed',
    tenantId,
    entityId: id,
    entityVersion: Number(version),
    payload: { placementId: id, from, to: status, partition } satisfies PlacementChanged,
  };
}
