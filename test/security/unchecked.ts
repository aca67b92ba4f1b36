import type { PermissionTable } from '#platform/auth/permissions.js';
import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import type { ReadValue } from '#platform/database/one-message.js';
import { silentLogger } from '#platform/logger.js';
import { EventStreams } from '#platform/outbox/event-stream.js';
import type { DeliveredEvent, Position } from '#platform/outbox/event.js';
import { OutboxTail, type EventListener } from '#platform/outbox/tail.js';
import { OutboxWake } from '#platform/outbox/wake.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { Operation } from '#platform/subgraph/operation.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import { roles, type Viewer } from '#platform/viewer.js';

/** What the services are made to believe, and what the database knows. */
export interface Belief {
  /** Whom they think they act for. */
  viewer: Viewer;
  /** Whose session every statement runs in, whatever tenant is asked for. */
  tenantId: string;
  clock: Clock;
  /** What a subscription is told of as it happens. */
  live?: readonly DeliveredEvent[];
}

const anybody = [...roles, 'node', 'administrator'] as const;
const everything: PermissionTable = new Proxy({}, { get: () => anybody });

/**
 * A subgraph whose own checks are worth nothing: everybody holds every permission, and services and resolvers take the
 * caller for another tenant's. What still holds is row-level security.
 */
export function unchecked(subgraph: Subgraph, belief: Belief): Subgraph {
  const { viewer, tenantId, clock, live = [] } = belief;
  return {
    ...subgraph,
    createContext: async (request): Promise<SubgraphContext> => {
      const { operation, wiring } = (await subgraph.createContext(request)) as SubgraphContext;
      const database = boundTo(operation.database, tenantId);
      return {
        operation: new Operation({
          request,
          database,
          clock,
          permissions: everything,
          viewer,
          denial: undefined,
        }),
        streams: new EventStreams(database, new ToldTail(database, live)),
        wiring,
      };
    },
  };
}

/** The same database, which takes every tenant for this one. */
function boundTo(database: Database, tenantId: string): Database {
  const standIn: Database = Object.create(database) as Database;
  standIn.forTenant = () => database.forTenant(tenantId);
  standIn.select = <Row extends object>(_tenant: string, sql: string, values: readonly ReadValue[]) =>
    database.select<Row>(tenantId, sql, values);
  return standIn;
}

/** Tells each listener the same few events, and that whatever was stored came before them. */
class ToldTail extends OutboxTail {
  constructor(
    database: Database,
    private readonly told: readonly DeliveredEvent[],
  ) {
    super(database, new OutboxWake(database.connections, silentLogger), silentLogger);
  }

  override listen(listener: EventListener): { from: Position; stop: () => void } {
    this.told.forEach((event, at) => listener({ ...event, position: tellingPosition(at) }));
    return { from: tellingPosition(-1), stop: () => undefined };
  }
}

const beyondAll = 9_000_000_000_000_000_000n;
const tellingPosition = (at: number): Position => ({
  timeline: String(beyondAll),
  xid: String(beyondAll),
  id: String(at + 1),
});

/** Whether a cursor is of an event that was told and not read from the database. */
export function wasTold(cursor: string | undefined): boolean {
  return Buffer.from(cursor ?? '', 'base64url')
    .toString()
    .includes(String(beyondAll));
}
