import type { SqlEntityManager } from '../database/database.js';
import {
  isSettled,
  outboxColumns,
  toEvent,
  type DeliveredEvent,
  type OutboxRow,
  type Position,
} from './event.js';

export interface ReadOptions {
  /** Only events after this one. */
  after: Position;
  limit: number;
  tenantId?: string;
  topics?: readonly string[];
}

/** Reads settled events of one area's outbox in their order. `em` decides whose rows are visible. */
export async function readOutbox(
  em: SqlEntityManager,
  area: string,
  options: ReadOptions,
): Promise<DeliveredEvent[]> {
  const { after, limit, tenantId, topics } = options;
  const rows = await em.execute<OutboxRow[]>(
    `select ${outboxColumns} from ${area}.outbox
     where (xid, id) > (?::xid8, ?::bigint) and ${isSettled}
       ${tenantId === undefined ? '' : 'and tenant_id = ?'}
       ${topics === undefined ? '' : `and topic in (${topics.map(() => '?').join(', ')})`}
     order by xid, id limit ?`,
    [after.xid, after.id, ...(tenantId === undefined ? [] : [tenantId]), ...(topics ?? []), limit],
  );
  return rows.map(toEvent);
}

/** Where an outbox ends now; what is published from here on comes after it. */
export async function endOfOutbox(em: SqlEntityManager): Promise<Position> {
  const [end] = await em.execute<{ xid: string }[]>(
    `select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as xid`,
  );
  // The greatest row id within the transaction before the oldest one under way.
  return { xid: end?.xid ?? '0', id: '9223372036854775807' };
}
