import type { Sweep } from '../membership/sweep.js';
import type { Consumer } from './consumer.js';
import { toEvent, type DeliveredEvent, type OutboxRow } from './event.js';
import { listenersOf, type Listener } from './standing.job.js';
import { inItsTrace, tell } from './tell.job.js';

/** Of those that were to be told: by their keys, as others had been told already. */
interface ParkedEvent extends OutboxRow {
  listeners: string[];
}

interface ParkedRow {
  source: string;
  event: ParkedEvent;
}

/** As it is kept with what was set aside. */
export function parkedForm(event: DeliveredEvent, listeners: readonly Listener[]): ParkedEvent {
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
    listeners: listeners.map(({ key }) => key),
  };
}

/**
 * Tells an area's consumers once more of what they could not take in, where the operator asked for it: those that were told
 * then, if all of them bear an event that comes after later ones. One that is not taken in is set aside again, with the
 * reason.
 */
export function parkedSweep(area: string, consumers: readonly Consumer[]): Sweep {
  return {
    name: 'parked-event.retry',
    everyMs: 15_000,
    due: `select from platform.due_parked_event('${area}')`,
    run: async ({ em, now }) => {
      const [due] = await em.execute<ParkedRow[]>('select * from platform.due_parked_event(?)', [area]);
      if (!due) return 'done';
      const event = toEvent(due.event);
      const listeners = listenersOf(consumers).filter(
        ({ topic, key }) => topic === event.topic && due.event.listeners.includes(key),
      );
      const which = [area, due.source, event.eventId];
      const setAside = async (problem: string) =>
        em.execute('select platform.park_event_again(?, ?, ?, ?)', [...which, problem]);
      const refusal = refusalOf(listeners);
      if (refusal !== undefined) await setAside(refusal);
      else {
        try {
          // A savepoint: what it had begun is undone, and that it failed is noted.
          await inItsTrace(area, event, async () =>
            em.transactional(async (inner) => tell(inner, { area, event, listeners, now })),
          );
          await em.execute('select platform.unpark_event(?, ?, ?)', which);
        } catch (error) {
          await setAside(error instanceof Error ? error.message : String(error));
        }
      }
      return 'more';
    },
  };
}

function refusalOf(listeners: readonly Listener[]): string | undefined {
  if (listeners.length === 0) return 'this version of the panel does not know what it was for';
  if (listeners.every(({ consumer }) => consumer.bearsLate)) return undefined;
  return 'it can be taken in in its order only: see to what it should have done, and forget it';
}
