import type { SqlEntityManager } from '../database/database.js';
import { JobBatch } from '../jobs/enqueue.js';
import { inTraceOf, traced } from '../telemetry/tracing.js';
import type { DeliveredEvent } from './event.js';
import { appendToOutbox, type OutboxEvent } from './outbox.js';
import type { Listener } from './standing.job.js';

interface Telling {
  /** The area that is told. */
  area: string;
  event: DeliveredEvent;
  /** Those of the event's topic. */
  listeners: readonly Listener[];
  now: Date;
}

/** Tells consumers of an event, and writes what follows from it, in the transaction of `em`. */
export async function tell(em: SqlEntityManager, { area, event, listeners, now }: Telling): Promise<void> {
  const events: OutboxEvent[] = [];
  const jobs = new JobBatch();
  const publish = (caused: OutboxEvent) => events.push(caused);
  for (const { consumer } of listeners)
    await consumer.handle({ em, event, now, publish, enqueue: jobs.enqueue });
  await em.flush();
  await appendToOutbox(em, area, events, { requestId: event.causedBy, at: now });
  await jobs.send(em, area, { requestId: event.causedBy });
}

/** A part of the trace in which the event was written, so that one leads from a request to what other areas do about it. */
export async function inItsTrace<T>(
  area: string,
  { eventId, topic, causedBy, traceparent }: DeliveredEvent,
  work: () => Promise<T>,
): Promise<T> {
  const attributes = {
    'messaging.message.id': eventId,
    'quazzar.area': area,
    'quazzar.request_id': causedBy,
  };
  return inTraceOf({ traceparent }, async () => traced(`event ${topic}`, { attributes }, work));
}
