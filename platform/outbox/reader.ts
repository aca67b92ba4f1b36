import type { RowReader } from '../database/database.js';
import {
  isSettled,
  outboxColumns,
  toEvent,
  type DeliveredEvent,
  type OutboxRow,
  type Position,
  start,
} from './event.js';

export interface ReadOptions {
  /** Only events after this one. */
  after: Position;
  limit: number;
  tenantId?: string;
  topics?: readonly string[];
  /** Of an event that was seen settled: this reading may be told less than the one that saw it, and takes all up to there. */
  settledUntil?: Position | undefined;
  /** Only events up to this one, all of which are settled. */
  until?: Position;
}

/** Reads settled events of one area's outbox in their order. `reader` decides whose rows are visible. */
export async function readOutbox(
  reader: RowReader,
  area: string,
  options: ReadOptions,
): Promise<DeliveredEvent[]> {
  const { after, limit, tenantId, topics, until, settledUntil = until ?? start } = options;
  if (topics?.length === 0) return [];
  const rows = await reader.execute<OutboxRow[]>(
    `select ${outboxColumns} from ${area}.outbox o
     where (o.timeline, o.xid, o.id) > (?::bigint, ?::xid8, ?::bigint)
       and ((o.timeline, o.xid, o.id) <= (?::bigint, ?::xid8, ?::bigint) or ${until ? 'false' : isSettled('o')})
       ${tenantId === undefined ? '' : 'and tenant_id = ?'}
       ${topics === undefined ? '' : `and topic in (${topics.map(() => '?').join(', ')})`}
     -- Qualified: the bare names would be the columns of the answer, which are text.
     order by o.timeline, o.xid, o.id limit ?`,
    [
      after.timeline,
      after.xid,
      after.id,
      settledUntil.timeline,
      settledUntil.xid,
      settledUntil.id,
      ...(tenantId === undefined ? [] : [tenantId]),
      ...(topics ?? []),
      limit,
    ],
  );
  return rows.map(toEvent);
}

/**
 * The next settled events of one area's outbox, for a reader of all of them, and whether others that are there wait for a
 * transaction that began before theirs to end. Nobody is told of that end, so one has to look again.
 */
export async function readAhead(
  reader: RowReader,
  area: string,
  { after, limit }: Pick<ReadOptions, 'after' | 'limit'>,
): Promise<{ events: DeliveredEvent[]; hasUnsettled: boolean }> {
  const rows = await reader.execute<(OutboxRow & { is_settled: boolean })[]>(
    `select ${outboxColumns}, ${isSettled('o')} as is_settled from ${area}.outbox o
     where (o.timeline, o.xid, o.id) > (?::bigint, ?::xid8, ?::bigint)
     order by o.timeline, o.xid, o.id limit ?`,
    [after.timeline, after.xid, after.id, limit],
  );
  // They come last: of a later timeline there are none yet, and in this one they are the latest.
  const firstUnsettled = rows.findIndex((row) => !row.is_settled);
  const hasUnsettled = firstUnsettled !== -1;
  return { events: (hasUnsettled ? rows.slice(0, firstUnsettled) : rows).map(toEvent), hasUnsettled };
}

/** Where so many rows of an outbox end, counted from a position; `until` where there are no more before it. */
export async function endOfStretch(
  reader: RowReader,
  area: string,
  { after, until, rows }: { after: Position; until: Position; rows: number },
): Promise<Position> {
  const [end] = await reader.execute<Position[]>(
    `select o.timeline::text as timeline, o.xid::text as xid, o.id::text as id from ${area}.outbox o
     where (o.timeline, o.xid, o.id) > (?::bigint, ?::xid8, ?::bigint)
       and (o.timeline, o.xid, o.id) <= (?::bigint, ?::xid8, ?::bigint)
     order by o.timeline, o.xid, o.id offset ? limit 1`,
    [after.timeline, after.xid, after.id, until.timeline, until.xid, until.id, rows - 1],
  );
  return end ?? until;
}

/** What there is to see from a position, at little cost. */
export interface Outlook {
  /** Whether there is anything after it, settled or not. */
  hasMore: boolean;
  /** Of the server that answers. */
  timeline: string;
  /** Whether the database has had the position's timeline. */
  isKnown: boolean;
}

export async function lookAhead(reader: RowReader, area: string, after: Position): Promise<Outlook> {
  const [seen] = await reader.execute<Outlook[]>(
    `select ${isAnyAfter(area)} as "hasMore", platform.record_timeline()::text as timeline,
       exists (select from platform.timeline where timeline = ?::bigint) as "isKnown"`,
    [after.timeline, after.xid, after.id, after.timeline],
  );
  return seen!;
}

/** In SQL, with the parts of a position for its values. */
const isAnyAfter = (area: string) =>
  `exists (select from ${area}.outbox o where (o.timeline, o.xid, o.id) > (?::bigint, ?::xid8, ?::bigint))`;

/** Where a reader stands that has had everything that was removed for its age. */
export async function removedUntil(reader: RowReader, area: string): Promise<Position> {
  const [mark] = await reader.execute<Position[]>(
    `select timeline::text as timeline, xid::text as xid, id::text as id from ${area}.outbox_removed`,
  );
  return mark ?? start;
}

/**
 * Whether the event of a position that was handed out is in the database, or was until its age removed it. A server that
 * took over without its last transactions has it no more. Positions between events are no event's, and taken for kept.
 */
export async function isKept(reader: RowReader, area: string, position: Position): Promise<boolean> {
  if (position.id === afterAll || position.id === start.id) return true;
  const place = [position.timeline, position.xid, position.id];
  const [answer] = await reader.execute<{ isKept: boolean }[]>(
    `select exists (
       select from ${area}.outbox where timeline = ?::bigint and xid = ?::xid8 and id = ?::bigint
     ) or exists (
       select from ${area}.outbox_removed where (timeline, xid, id) >= (?::bigint, ?::xid8, ?::bigint)
     ) as "isKept"`,
    [...place, ...place],
  );
  return answer?.isKept ?? false;
}

// The greatest row id there can be.
const afterAll = '9223372036854775807';

/**
 * Where an outbox ends now, if there is anything in it after a position: no reading from here on is told less than that,
 * since the oldest transaction under way never goes back.
 */
export async function endBeyond(
  reader: RowReader,
  area: string,
  after: Position,
): Promise<Position | undefined> {
  const [end] = await reader.execute<Omit<Position, 'id'>[]>(
    `select ${placeBefore('pg_snapshot_xmin(pg_current_snapshot())')} where ${isAnyAfter(area)}`,
    [after.timeline, after.xid, after.id],
  );
  return end && { ...start, ...end, id: afterAll };
}

/** Where an outbox ends now; what is published from here on comes after it. */
export async function endOfOutbox(reader: RowReader): Promise<Position> {
  return placeOf(reader, 'platform.settled_before()');
}

/** No event that there has been yet is after it, whether it was handed out or not. */
export async function newestOfOutbox(reader: RowReader): Promise<Position> {
  return placeOf(reader, 'pg_snapshot_xmax(pg_current_snapshot())');
}

/** Behind every row of the transaction before one, in SQL. */
async function placeOf(reader: RowReader, xid: string): Promise<Position> {
  const [place] = await reader.execute<Omit<Position, 'id'>[]>(`select ${placeBefore(xid)}`);
  return { ...start, ...place, id: afterAll };
}

const placeBefore = (xid: string) =>
  `platform.current_timeline()::text as timeline, (${xid}::text::bigint - 1)::text as xid`;
