/** A committed event as the outbox gives it back. */
export interface DeliveredEvent {
  /** Where it stands in its area's outbox; a reader that has come this far continues after it. */
  position: Position;
  /** `evt_...`; the same at every delivery. */
  eventId: string;
  tenantId: string;
  topic: string;
  entityId: string;
  entityVersion: number | null;
  payload: Record<string, unknown>;
  /** The request that caused it. */
  causedBy: string;
  /** The trace in which it was written (W3C); null where there was none. */
  traceparent: string | null;
  occurredAt: Date;
}

/**
 * A place in one area's outbox: the server's timeline first, since transaction ids begin anew in a restored database,
 * then the transaction, then the row within it. All are 64-bit numbers in text.
 */
export interface Position {
  timeline: string;
  xid: string;
  id: string;
}

/** A position as a client hands it in: without a timeline when it is from before there were any. */
export type GivenPosition = Omit<Position, 'timeline'> & { timeline: string | undefined };

export const start: Position = { timeline: '0', xid: '0', id: '0' };

// PostgreSQL's bigint; a transaction id will not come near it.
const largest = 2n ** 63n - 1n;

/** Text that a client may keep and hand back to continue after an event of that area. */
export function encodePosition(area: string, { timeline, xid, id }: Position): string {
  return Buffer.from(`${area}.${timeline}.${xid}.${id}`).toString('base64url');
}

/** The position in a client's cursor, or undefined when it is none of ours or of another area. */
export function decodePosition(area: string, cursor: string): GivenPosition | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, of, timeline, xid, id] = /^(\w+)(?:\.(\d{1,19}))?\.(\d{1,19})\.(\d{1,19})$/.exec(text) ?? [];
  if (of !== area || xid === undefined || id === undefined) return undefined;
  const numbers = [timeline ?? '0', xid, id];
  return numbers.some((number) => BigInt(number) > largest) ? undefined : { timeline, xid, id };
}

export function isAfter(a: Position, b: Position): boolean {
  for (const part of ['timeline', 'xid', 'id'] as const) {
    const difference = BigInt(a[part]) - BigInt(b[part]);
    if (difference !== 0n) return difference > 0n;
  }
  return false;
}

export interface OutboxRow {
  timeline: string;
  xid: string;
  id: string;
  event_id: string;
  tenant_id: string;
  topic: string;
  entity_id: string;
  entity_version: string | null;
  payload: Record<string, unknown>;
  caused_by: string;
  traceparent: string | null;
  /** Text where the driver leaves it so. */
  occurred_at: Date | string;
}

/** What to select from an outbox, as `toEvent` takes it. */
export const outboxColumns = `o.timeline::text as timeline, o.xid::text as xid, o.id::text as id, event_id, tenant_id, topic, entity_id,
  entity_version::text as entity_version, payload, caused_by, traceparent, occurred_at`;

/**
 * True of rows that no transaction still running can be put in front of: those below the oldest transaction under way in
 * this database, and those of timelines that have ended, as their transactions have. A reader that went further could
 * pass by an earlier transaction that commits later. Where nothing is under way below a row, nothing else is looked at.
 */
export const isSettled = (row: string) => `(${row}.timeline <> (select platform.current_timeline())
  or ${row}.xid < pg_snapshot_xmin(pg_current_snapshot()) or ${row}.xid < (select platform.settled_before()))`;

export function toEvent(row: OutboxRow): DeliveredEvent {
  return {
    position: { timeline: row.timeline, xid: row.xid, id: row.id },
    eventId: row.event_id,
    tenantId: row.tenant_id,
    topic: row.topic,
    entityId: row.entity_id,
    entityVersion: row.entity_version === null ? null : Number(row.entity_version),
    payload: row.payload,
    causedBy: row.caused_by,
    traceparent: row.traceparent,
    occurredAt: new Date(row.occurred_at),
  };
}
