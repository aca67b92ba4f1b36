import type { Clock } from '../clock.js';
import type { Database, SqlEntityManager } from '../database/database.js';
import { systemEm } from '../database/system-em.js';
import { JobBatch } from '../jobs/enqueue.js';
import type { Logger } from '../logger.js';
import { assertHeld, type Grant, type Lease } from '../membership/lease.js';
import { SingletonLoop } from '../membership/loop.js';
import type { Consumer } from './consumer.js';
import { start, type DeliveredEvent, type Position } from './event.js';
import { appendToOutbox, type OutboxEvent } from './outbox.js';
import { endOfOutbox, readOutbox } from './reader.js';
import type { OutboxWake } from './wake.js';

const batch = 100;
const everyMs = 1_000;

export interface ConsumeOptions {
  /** The area that consumes. */
  database: Database;
  consumers: readonly Consumer[];
  /** The area whose outbox is read. */
  source: Database;
  wake: OutboxWake;
  lease: Lease;
  clock: Clock;
  logger: Logger;
}

/** The loop that brings one area's events to another area's consumers, on the lease holder. */
export function consumeLoop(options: ConsumeOptions): SingletonLoop {
  const { database, source, wake, lease, clock, logger, consumers } = options;
  let skippedAt = -Infinity;
  const topics = [...new Set(consumers.flatMap((consumer) => consumer.topics))];
  return new SingletonLoop({
    name: `${database.area} consumes ${source.area}`,
    lease,
    clock,
    logger,
    everyMs,
    woken: async (signal) => awaitWake(wake, source.area, signal),
    turn: async (grant) => {
      const after = await position(options);
      const isSkipDue = clock.now().getTime() - skippedAt >= skipEveryMs;
      const end = isSkipDue ? await endOfOutbox(systemEm(source)) : undefined;
      const events = await readOutbox(systemEm(source), source.area, { after, limit: batch, topics });
      for (const event of events) await consume(options, grant, event);
      if (events.length === batch) return 'more';
      if (end) {
        skippedAt = clock.now().getTime();
        await systemEm(database).transactional(async (em) => {
          await assertHeld(em, grant);
          await moveTo(options, em, end);
        });
      }
      return 'done';
    },
  });
}

/** Events are removed once every consumer is past them, so a consumer also moves past those that it does not want. */
const skipEveryMs = 60_000;

async function consume(options: ConsumeOptions, grant: Grant, event: DeliveredEvent): Promise<void> {
  const { database, source, clock, consumers } = options;
  await systemEm(database).transactional(async (em) => {
    await assertHeld(em, grant);
    const events: OutboxEvent[] = [];
    const jobs = new JobBatch();
    const now = clock.now();
    for (const consumer of consumers) {
      if (!consumer.topics.includes(event.topic)) continue;
      const publish = (caused: OutboxEvent) => events.push(caused);
      await consumer.handle({ em, event, now, publish, enqueue: jobs.enqueue });
    }
    await em.flush();
    await appendToOutbox(em, database.area, events, { requestId: event.causedBy, at: now });
    await jobs.send(em, database.area, { requestId: event.causedBy });
    await moveTo(options, em, event.position);
  });
}

async function moveTo(
  { database, source }: ConsumeOptions,
  em: SqlEntityManager,
  to: Position,
): Promise<void> {
  await em.execute('select platform.move_consumer(?, ?, ?, ?)', [database.area, source.area, to.xid, to.id]);
}

async function position({ database, source }: ConsumeOptions): Promise<Position> {
  const [row] = await systemEm(database).execute<Position[]>(
    `select xid::text as xid, id::text as id from platform.consumer_position where consumer = ? and source = ?`,
    [database.area, source.area],
  );
  return row ?? start;
}

async function awaitWake(wake: OutboxWake, area: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = wake.onWake(area, done);
    // A wake that came during the turn is lost, and so is one whose rows were not settled yet. By the machine's time, so
    // that it happens under a clock that stands still too.
    const timer = setTimeout(done, everyMs);
    function done() {
      clearTimeout(timer);
      stop();
      // A row is settled once older transactions have ended; a moment's patience saves a fruitless look.
      setTimeout(resolve, 10);
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
