import type { Clock } from '../clock.js';
import type { Database, SqlEntityManager } from '../database/database.js';
import { isPassing } from '../database/outage.js';
import { systemQuestions } from '../database/system-em.js';
import type { Logger } from '../logger.js';
import type { Grant, Lease } from '../membership/lease.js';
import { SingletonLoop } from '../membership/loop.js';
import type { Consumer } from './consumer.js';
import { isAfter, type DeliveredEvent, type Position } from './event.js';
import { parkedForm } from './parked.job.js';
import { endBeyond, endOfStretch, readOutbox } from './reader.js';
import { firstOf, listenersOf, Standings, topicsOf, type Listener, type Standing } from './standing.job.js';
import type { OutboxTail } from './tail.js';
import { inItsTrace, tell } from './tell.job.js';

const batch = 100;
// The tail tells of events that are wanted, and looks for them itself where nobody told. Events are removed once every
// consumer is past them, so from time to time it also moves past those that it does not want.
const everyMs = 600_000;
const passedOverAtMost = 10_000;
const retryMs = 1_000;
// Of what was passed over, in one reading: most of it is of other topics.
const lookedThroughAtOnce = 10_000;
const none: ReadonlyMap<string, Position> = new Map();
const maxFailures = 10;

export interface ConsumeOptions {
  /** The area that consumes. */
  database: Database;
  consumers: readonly Consumer[];
  /** The area whose outbox is read. */
  source: Database;
  /** Follows the source's outbox in this process. */
  tail: OutboxTail;
  lease: Lease;
  clock: Clock;
  logger: Logger;
}

/** The loop that brings one area's events to another area's consumers, on the lease holder. */
export function consumeLoop(options: ConsumeOptions): SingletonLoop {
  const { database, source, tail, lease, clock, logger, consumers } = options;
  const listeners = listenersOf(consumers);
  const standings = new Standings(database, source, listeners);
  const turn: Turn = { ...options, standings, failures: new Map() };
  const bell = new Bell(tail, topicsOf(listeners));
  // Nobody else moves on under the same grant.
  let known: { grant: Grant; after: Position } | undefined;
  return new SingletonLoop({
    name: `${database.area} consumes ${source.area}`,
    lease,
    clock,
    logger,
    everyMs,
    woken: async (signal) => bell.rung(signal),
    turn: async (grant, ending) => {
      const isForEvent = bell.beginTurn();
      // A server that took over may lack the last that was done here: where it stands is asked anew, of the server.
      const isKnown =
        isForEvent && known?.grant.epoch === grant.epoch && known.after.timeline === bell.told?.timeline;
      const standing = isKnown ? { after: known!.after, unheard: none } : await standings.ask(grant);
      known = undefined;
      const { after, unheard } = standing;
      const hasCaughtUp = unheard.size === 0 || (await catchUp(turn, grant, standing, ending));
      const heard = hasCaughtUp ? listeners : listeners.filter(({ key }) => !unheard.has(key));
      const reader = systemQuestions(source);
      // The end first: what is settled after it was asked for is not to be moved past.
      const [end, events] = await Promise.all([
        isForEvent ? undefined : endBeyond(reader, source.area, after),
        readOutbox(reader, source.area, {
          after,
          limit: batch,
          topics: topicsOf(heard),
          settledUntil: bell.told,
        }),
      ]);
      const advance: Advance = async (em, to) => standings.advance(em, to);
      for (const event of events) {
        if (ending.aborted) return 'done';
        await consumeOrPark(turn, grant, event, { listeners: heard, advance });
      }
      if (events.length === batch) return 'more';
      if (end) await standings.inTurn(grant, async (em) => advance(em, end));
      if (!hasCaughtUp) return 'more';
      const last = events.at(-1)?.position ?? after;
      known = { grant, after: end && isAfter(end, last) ? end : last };
      bell.endTurn();
      return 'done';
    },
  });
}

interface Turn extends ConsumeOptions {
  standings: Standings;
  /** How often each event has failed. */
  failures: Map<string, number>;
}

/** Writes down that an event is done with, in the transaction of what was done about it. */
type Advance = (em: SqlEntityManager, to: Position) => Promise<void>;

/** Who is told of an event, and what follows. */
interface Telling {
  listeners: readonly Listener[];
  advance: Advance;
}

/**
 * Tells a stretch of what was passed over by versions that did not know it; answers whether that was the last. What is
 * listened to as well goes on meanwhile: there may be a day of it.
 */
async function catchUp(turn: Turn, grant: Grant, standing: Standing, ending: AbortSignal): Promise<boolean> {
  const { source, standings, consumers } = turn;
  const { after: until, unheard } = standing;
  const reader = systemQuestions(source);
  const behind = listenersOf(consumers).filter(({ key }) => unheard.has(key));
  const after = firstOf(unheard.values());
  const stretch = await endOfStretch(reader, source.area, { after, until, rows: lookedThroughAtOnce });
  const events = await readOutbox(reader, source.area, {
    after,
    until: stretch,
    limit: batch,
    topics: topicsOf(behind),
  });
  const advance: Advance = async (em, to) => standings.advanceUnheard(em, standing, to);
  for (const event of events) {
    if (ending.aborted) return false;
    const listeners = behind.filter(({ key }) => isAfter(event.position, unheard.get(key)!));
    await consumeOrPark(turn, grant, event, { listeners, advance });
  }
  if (events.length === batch) return false;
  const isLast = !isAfter(until, stretch);
  await standings.inTurn(grant, async (em) =>
    isLast ? standings.caughtUp(em, standing) : advance(em, stretch),
  );
  return isLast;
}

/** An event that fails again and again is set aside, for people to look at; an outage of the database does not count. */
async function consumeOrPark(
  turn: Turn,
  grant: Grant,
  event: DeliveredEvent,
  telling: Telling,
): Promise<void> {
  const { database, source, logger, failures, standings } = turn;
  try {
    await inItsTrace(database.area, event, async () => consume(turn, grant, event, telling));
    failures.delete(event.eventId);
  } catch (error) {
    const count = (failures.get(event.eventId) ?? 0) + (isPassing(error) ? 0 : 1);
    failures.set(event.eventId, count);
    if (count < maxFailures) throw error;
    const { eventId, topic, tenantId, position: to } = event;
    await standings.inTurn(grant, async (em) => {
      await em.execute('select platform.park_event(?, ?, ?, ?, ?, ?, ?::jsonb)', [
        database.area,
        source.area,
        eventId,
        topic,
        tenantId,
        error instanceof Error ? error.message : String(error),
        JSON.stringify(parkedForm(event, heardBy(telling.listeners, event))),
      ]);
      await telling.advance(em, to);
    });
    failures.delete(eventId);
    logger.error(
      { err: error, eventId, topic, consumer: database.area },
      'an event was parked in platform.parked_event',
    );
  }
}

async function consume(turn: Turn, grant: Grant, event: DeliveredEvent, telling: Telling): Promise<void> {
  const { database, clock, standings } = turn;
  const { listeners, advance } = telling;
  await standings.inTurn(grant, async (em) => {
    await tell(em, {
      area: database.area,
      event,
      listeners: heardBy(listeners, event),
      now: clock.now(),
    });
    await advance(em, event.position);
  });
}

function heardBy(listeners: readonly Listener[], event: DeliveredEvent): Listener[] {
  return listeners.filter(({ topic }) => topic === event.topic);
}

/** Rings when the tail has heard of an event that is wanted, also while the last turn was running. */
class Bell {
  private isAttached = false;
  private hasRung = false;
  private hasFailed = false;
  /** Whether the next turn has to look where it stands: the tail went back, or much was told of that is not wanted. */
  private isAnew = false;
  private passedOver = 0;
  private answer: (() => void) | undefined;
  /** Where the event stands that was wanted last. */
  told: Position | undefined;

  constructor(
    private readonly tail: OutboxTail,
    private readonly topics: readonly string[],
  ) {}

  /** Answers whether the turn goes on where the last one ended, for an event that was told of. */
  beginTurn(): boolean {
    if (!this.isAttached) this.attach();
    const isForEvent = this.hasRung && !this.isAnew && !this.hasFailed;
    this.hasRung = false;
    this.isAnew = false;
    this.passedOver = 0;
    this.hasFailed = true;
    return isForEvent;
  }

  /** Nothing is left of what there was when the turn began. */
  endTurn(): void {
    this.hasFailed = false;
  }

  async rung(signal: AbortSignal): Promise<void> {
    if (this.hasRung && !this.hasFailed) return;
    await new Promise<void>((resolve) => {
      if (!this.hasFailed) this.answer = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      // By the machine's time, so that a turn that failed is repeated under a clock that stands still too.
      if (this.hasFailed) setTimeout(resolve, retryMs).unref();
    });
  }

  /** Not before the first turn: the tail has started by then, and whatever came before it is read in that turn. */
  private attach(): void {
    const ring = () => {
      this.hasRung = true;
      this.answer?.();
    };
    const ringAnew = () => {
      this.isAnew = true;
      ring();
    };
    this.tail.listen(({ topic, position: told }) => {
      if (this.topics.includes(topic)) {
        this.told = told;
        ring();
      } else if (++this.passedOver === passedOverAtMost) ringAnew();
    }, ringAnew);
    this.isAttached = true;
  }
}
