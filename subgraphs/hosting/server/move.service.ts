import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { ServerChanged } from '#schema/events.js';

import { Server } from './server.entity.js';
import { serverMoves, type ServerPhase } from './server.phases.js';
import { withStep } from './server.steps.js';

/** A transaction that changes servers and tells of it. */
export interface Moving {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
}

/** The row as it is now, locked until the transaction ends. */
export async function lockServer(em: SqlEntityManager, tenantId: string, id: string): Promise<Server | null> {
  await em.execute('select 1 from hosting.server where tenant_id = ? and id = ? for update', [tenantId, id]);
  return em.findOne(Server, { tenantId, id }, { refresh: true });
}

/** Several rows, locked in the order of their ids, so that no two transactions wait for each other. */
export async function lockServers(
  em: SqlEntityManager,
  tenantId: string,
  ids: readonly string[],
): Promise<Server[]> {
  await em.execute(
    `select 1 from hosting.server where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))
     order by id for update`,
    [tenantId, JSON.stringify(ids)],
  );
  return em.find(Server, { tenantId, id: { $in: [...ids] } }, { refresh: true, limit: ids.length });
}

export type Change = Partial<Omit<Server, 'tenantId' | 'id' | 'version' | 'phase' | 'phaseAt' | 'steps'>>;

/** Goes to a phase, or stays in it, with what else changes. Throws where the table of phases has no such way. */
export function move(
  { publish }: Pick<Moving, 'publish'>,
  server: Server,
  phase: ServerPhase,
  now: Date,
  change: Change = {},
): void {
  const from = server.phase;
  if (phase !== from) {
    if (!serverMoves[from].includes(phase))
      throw new Error(`server ${server.id} can not go from ${from} to ${phase}`);
    Object.assign(server, { phase, phaseAt: now, progress: 0, failures: 0 });
  }
  Object.assign(server, change);
  if (phase !== from) server.steps = withStep(server.steps, { phase, at: now, message: server.message });
  server.version = String(Number(server.version) + 1);
  publish({
    topic: 'hosting.server.changed',
    tenantId: server.tenantId,
    entityId: server.id,
    entityVersion: Number(server.version),
    payload: { serverId: server.id, from, to: phase } satisfies ServerChanged,
  });
}
