import type { Database, SqlEntityManager } from '../database/database.js';
import { ApiError } from '../errors.js';
import type { OpenedAt } from '../subgraph/cursor.js';
import type { Operation } from '../subgraph/operation.js';
import {
  decodePosition,
  encodePosition,
  isAfter,
  type DeliveredEvent,
  type GivenPosition,
  type Position,
} from './event.js';
import { endOfOutbox, isKept, newestOfOutbox, readOutbox, removedUntil } from './reader.js';
import type { OutboxTail } from './tail.js';
import { timelinesOf } from './timeline.js';

/** What a subscription's resolver gets as its root value; the gateway passes the cursor on to the client. */
export interface StreamedEvent {
  payload: DeliveredEvent;
  cursor: string;
}

export interface StreamOptions {
  topics: readonly string[];
  /** Whose events, where they are not the viewer's tenant's: what is of the whole panel. */
  of?: string;
  /** Leaves out events that this client did not ask for. */
  matches?: (event: DeliveredEvent) => boolean;
}

const replayBatch = 200;
// A reader so far behind would cost memory without bound; it is sent away to resume from its cursor.
const maxBuffered = 1_000;

/** One tenant's events of an area as they are committed, after a replay when the client resumes. */
export class EventStreams {
  constructor(
    private readonly database: Database,
    private readonly tail: OutboxTail,
  ) {}

  /** Events of the viewer's tenant. With `request.after` (a cursor of the last 24 hours), those after it come first. */
  async open(
    operation: Operation,
    { topics, matches = () => true, of }: StreamOptions,
  ): Promise<AsyncIterableIterator<StreamedEvent> & OpenedAt> {
    const tenantId = of ?? operation.tenantId;
    const { after } = operation.request;
    const resumeAt = after === undefined ? undefined : await this.resumeAt(operation, after);
    const wanted = new Set(topics);
    const isWanted = (event: DeliveredEvent) =>
      event.tenantId === tenantId && wanted.has(event.topic) && matches(event);

    const buffer: DeliveredEvent[] = [];
    let isOverrun = false;
    let isRewound = false;
    let isClosed = false;
    let wake: (() => void) | undefined;
    const { from, stop } = this.tail.listen(
      (event) => {
        if (!isWanted(event)) return;
        if (buffer.length < maxBuffered) buffer.push(event);
        else isOverrun = true;
        wake?.();
      },
      () => {
        isRewound = true;
        wake?.();
      },
    );

    const replay = resumeAt && this.replay(tenantId, topics, resumeAt, from);
    let last = resumeAt;
    const next = async (): Promise<IteratorResult<StreamedEvent>> => {
      for (;;) {
        if (isClosed) return { value: undefined, done: true };
        if (isRewound) {
          close();
          throw rewound();
        }
        const replayed = replay ? await replay.next() : undefined;
        const event = replayed?.done === false ? replayed.value : buffer.shift();
        if (event) {
          // The replay and the live events may overlap by what was committed in between.
          if ((last && !isAfter(event.position, last)) || !isWanted(event)) continue;
          last = event.position;
          return {
            value: { payload: event, cursor: encodePosition(this.database.area, event.position) },
            done: false,
          };
        }
        if (isOverrun) {
          close();
          throw new ApiError(
            'UNAVAILABLE',
            'The subscription fell too far behind; resume it from its last cursor',
            {
              reason: 'SUBSCRIPTION_OVERRUN',
              retryAfterSeconds: 1,
            },
          );
        }
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    };
    const close = () => {
      isClosed = true;
      stop();
      wake?.();
    };
    const stream: AsyncIterableIterator<StreamedEvent> & OpenedAt = {
      openedAt: encodePosition(this.database.area, resumeAt ?? from),
      next,
      async return() {
        close();
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() {
        return stream;
      },
    };
    return stream;
  }

  /** Where the client's cursor stands; refused when events after it are gone, or when there can be none yet. */
  private async resumeAt({ em }: Operation, after: string): Promise<Position> {
    const { area } = this.database;
    const given = decodePosition(area, after);
    const position = given && (await this.placed(em, given));
    if (!position || isAfter(position, await newestOfOutbox(em))) {
      throw new ApiError(
        'BAD_REQUEST',
        `extensions.after must be the extensions.cursor of an earlier event of ${area}`,
        { reason: 'CURSOR_INVALID' },
      );
    }
    if (isAfter(await removedUntil(em, area), position)) throw expired();
    return position;
  }

  /** A position on a timeline that this database has had; refused when it was put back to before that one, or lost the event. */
  private async placed(em: SqlEntityManager, given: GivenPosition): Promise<Position> {
    const timelines = await timelinesOf(em);
    // From before there were timelines: of the first one, while that is all there is.
    const timeline = given.timeline ?? (timelines.length === 1 ? timelines[0] : undefined);
    if (timeline === undefined || !timelines.includes(timeline)) throw expired();
    const position = { ...given, timeline };
    // A server that took over may lack the end of the one before. The event may be any tenant's.
    const isEnded = timeline !== timelines.at(-1);
    if (isEnded && !(await isKept(this.database.readerForJobs(), this.database.area, position)))
      throw expired();
    return position;
  }

  /** A cursor for everything that is committed from now on. */
  async cursorNow({ em }: Operation): Promise<string> {
    return encodePosition(this.database.area, await endOfOutbox(em));
  }

  /** Committed events after `after` up to where the live ones begin, read in batches with the tenant's own rights. */
  private async *replay(
    tenantId: string,
    topics: readonly string[],
    after: Position,
    until: Position,
  ): AsyncGenerator<DeliveredEvent, undefined> {
    for (let position = after; ;) {
      const events = await readOutbox(this.database.forTenant(tenantId), this.database.area, {
        after: position,
        limit: replayBatch,
        tenantId,
        topics,
        settledUntil: until,
      });
      // The tail has told of what it hands out itself; this may be from before this process.
      if (events.length > 0) await this.database.heard(new Set([tenantId]));
      for (const event of events) {
        if (isAfter(event.position, until)) return undefined;
        yield event;
      }
      const last = events.at(-1);
      if (!last || events.length < replayBatch) return undefined;
      position = last.position;
    }
  }
}

function expired(): ApiError {
  return new ApiError(
    'BAD_REQUEST',
    'Events after this cursor are no longer kept: read anew, then subscribe',
    {
      reason: 'CURSOR_EXPIRED',
    },
  );
}

function rewound(): ApiError {
  return new ApiError(
    'UNAVAILABLE',
    'The database was put back to an earlier state: read anew, then subscribe',
    {
      reason: 'CURSOR_EXPIRED',
      retryAfterSeconds: 1,
    },
  );
}
