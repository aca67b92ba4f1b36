import type { SqlEntityManager } from '#platform/database/database.js';
import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { foreignCursor, pageWindow, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { AuditEvent } from './audit-event.entity.js';
import type { AuditEventFilter, AuditEventsArgs } from './audit.inputs.js';

/** As many as one read gives at most. */
export const batch = 1_000;

/** Reads the trail of the viewer's tenant. */
export class AuditService {
  /** Newest first: a new entry never moves the page that someone is reading. */
  async page(operation: Operation, args: AuditEventsArgs): Promise<Page<AuditEvent>> {
    return this.list(operation, args, conditions(args.filter ?? {}));
  }

  /** What else the request of an entry caused; null where work that comes again and again has made it. */
  async ofSameRequest(
    operation: Operation,
    { eventId, requestId }: AuditEvent,
    args: PageArgs,
  ): Promise<Page<AuditEvent> | null> {
    if (isOfNoRequest(requestId)) return null;
    return this.list(operation, args, { requestId, eventId: { $ne: eventId } });
  }

  private async list(
    operation: Operation,
    args: PageArgs,
    wanted: Record<string, unknown>,
  ): Promise<Page<AuditEvent>> {
    const { size, after } = pageWindow(args);
    const matching = { tenantId: operation.tenantId, ...wanted };
    const before = after === undefined ? undefined : Number(after);
    if (before !== undefined && !Number.isSafeInteger(before)) {
      throw foreignCursor();
    }
    const rows = await operation.em.find(
      AuditEvent,
      { ...matching, ...(before === undefined ? {} : { sequence: { $lt: before } }) },
      { orderBy: { sequence: 'desc' }, limit: size + 1 },
    );
    const nodes = rows.slice(0, size);
    const last = nodes.at(-1);
    return {
      nodes,
      pageInfo: {
        endCursor: last ? Buffer.from(String(last.sequence)).toString('base64url') : null,
        hasNextPage: rows.length > size,
      },
      total: () => operation.em.count(AuditEvent, matching),
    };
  }

  /** One entry. */
  async get({ em, tenantId }: Operation, sequence: number): Promise<AuditEvent> {
    const found = await em.findOne(AuditEvent, { tenantId, sequence });
    if (!found) throw notFound('Entry of the audit trail');
    return found;
  }

  /** The whole trail as it is when the first batch is read, oldest first, in batches. */
  async *all(operation: Operation): AsyncGenerator<AuditEvent[], void> {
    const { database, tenantId } = operation;
    const [newest] = await database
      .forTenant(tenantId)
      .find(AuditEvent, { tenantId }, { orderBy: { sequence: 'desc' }, limit: 1 });
    for (let after = 0; ;) {
      const rows = await readEntries(database.forTenant(tenantId), tenantId, after, newest?.sequence ?? 0);
      if (rows.length > 0) yield rows;
      if (rows.length < batch) return;
      after = rows.at(-1)!.sequence;
    }
  }
}

/** A sweep has one id for all that it ever does, which no request can have: those of requests are without colons. */
function isOfNoRequest(requestId: string): boolean {
  return requestId === '' || requestId.includes(':');
}

function conditions(filter: AuditEventFilter): Record<string, unknown> {
  const { actor, action, target, category, requestId, from, to } = filter;
  return {
    ...(actor == null ? {} : { actor }),
    ...(action == null ? {} : { action }),
    ...(target == null ? {} : { target }),
    ...(category == null ? {} : { category }),
    ...(requestId == null ? {} : { requestId }),
    ...(from == null && to == null
      ? {}
      : { occurredAt: { ...(from == null ? {} : { $gte: from }), ...(to == null ? {} : { $lt: to }) } }),
  };
}

/** The next entries after a place, and up to another. */
export async function readEntries(
  em: SqlEntityManager,
  tenantId: string,
  after: number,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<AuditEvent[]> {
  return em.find(
    AuditEvent,
    { tenantId, sequence: { $gt: after, $lte: upTo } },
    { orderBy: { sequence: 'asc' }, limit: batch },
  );
}
