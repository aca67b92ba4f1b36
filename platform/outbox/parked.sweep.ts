import type { Sweep } from '../membership/sweep.js';
import type { Consumer } from './consumer.js';
import { toEvent, type DeliveredEvent, type OutboxRow } from './event.js';

interface ParkedRow {
  source: string;
  event: OutboxRow;
}

/** As it is kept with what was set aside: a row of an outbox. */
export function parkedForm(event: DeliveredEvent): OutboxRow {
  const { position, eventId, tenantId, topic, entityId, entityVersion, payload, causedBy } = event;
  return {
    ...position,
    event_id: eventId,
    tenant_id: tenantId,
    topic,
    entity_id: entityId,
    entity_version: entityVersion === null ? null : String(entityVersion),
    payload,
    caused_by: causedBy,
    traceparent: event.traceparent,
    occurred_at: event.occurredAt.toISOString(),
  };
}

/**
 * Tells an area's consumers once more of what they could not take in, where the operator asked for it. It comes after what
 * was told meanwhile, as consumers have to bear anyway; one that fails again is set aside with what it says now.
 */
export function parkedSweep(area: string, consumers: readonly Consumer[]): Sweep {
  return {
    name: 'parked-event.retry',
    everyMs: 15_000,
    due: `select from platform.due_parked_event('${area}')`,
    run: async (step) => {
      const [due] = await step.em.execute<ParkedRow[]>('select * from platform.due_parked_event(?)', [area]);
      if (!due) return 'done';
      const event = toEvent(due.event);
      const which = [area, due.source, event.eventId];
      try {
        // A savepoint: what it had begun is undone, and that it failed is noted.
        await step.em.transactional(async (em) => {
          for (const consumer of consumers)
            if (consumer.topics.includes(event.topic)) await consumer.handle({ ...step, em, event });
        });
        await step.em.execute('select platform.unpark_event(?, ?, ?)', which);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        await step.em.execute('select platform.park_event_again(?, ?, ?, ?)', [...which, problem]);
      }
      return 'more';
    },
  };
}
